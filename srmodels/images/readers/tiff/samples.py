"""A TIFF's samples as numbers: unpacked and put together.

JPEG goes to `read_jpeg`, which notices missing data.
"""

import io
from dataclasses import replace
from math import ceil
from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image
from simplejpeg import decode_jpeg_header

from srmodels.errors import PhotoError
from srmodels.images.readers.jpeg import NotCheckableError, read_jpeg
from srmodels.images.readers.tiff.directories import Directory, Tag
from srmodels.images.readers.tiff.segments import (
    JPEG,
    OLD_JPEG,
    WEBP,
    YCBCR,
    Layout,
    inflate_rows,
    segments_of,
)

__all__ = ["Samples", "read_samples"]

Samples = NDArray[Any]  # uint8 or uint16

# an Adobe segment with the transform that JPEG's three colours need: none, or YCbCr
_ADOBE = b"\xff\xee\x00\x0eAdobe\x00\x64\x00\x00\x00\x00"


def _unpack(rows: NDArray[np.uint8], count: int, bits: int, order: str) -> Samples:
    """`count` samples of each row, (rows, count)."""
    if bits in (8, 16):
        dtype = np.dtype(f"{order}u{bits // 8}")
        return np.ascontiguousarray(rows).view(dtype).astype(dtype.newbyteorder("="), copy=False)
    result = np.empty((len(rows), count), np.uint8 if bits < 8 else np.uint16)
    weights = (1 << np.arange(bits - 1, -1, -1)).astype(np.uint16)
    step = max(1, 2**22 // max(1, count * bits))
    for top in range(0, len(rows), step):
        bitmap = np.unpackbits(rows[top : top + step], axis=1)[:, : count * bits]
        result[top : top + step] = bitmap.reshape(-1, count, bits) @ weights
    return result


def _undo_prediction(values: Samples, predictor: int, bits: int) -> Samples:
    """Sums differences along rows of (rows, columns, samples); section 14."""
    if predictor == 1:
        return values
    if predictor == 2 and bits in (8, 16):
        return values.cumsum(axis=1, dtype=values.dtype)
    raise PhotoError(f"has a predictor that is not read (got {predictor})")


def _blocks_to_pixels(rows: Samples, layout: Layout) -> Samples:
    """YCbCr blocks (section 21) to (rows, columns, 3); chroma is repeated."""
    across, down = layout.subsampling
    blocks = rows.reshape(len(rows), -1, across * down + 2)
    squares = blocks[..., :-2].reshape(*blocks.shape[:2], down, across)
    luma = squares.swapaxes(1, 2).reshape(len(rows) * down, -1)
    chroma = blocks[..., -2:].repeat(down, axis=0).repeat(across, axis=1)
    return np.concatenate((luma[..., None], chroma), axis=2)[:, : layout.part[1]]


def _check_part(height: int, width: int, layout: Layout) -> None:
    """Refuses a strip or tile that would decode to more than it should."""
    rows, columns = layout.part
    if height > rows + 16 or width > columns + 16:
        raise PhotoError(f"is damaged: a part of {columns}x{rows} has {width}x{height} pixels")


def _jpeg(body: bytes, layout: Layout, notes: list[str]) -> Samples:
    """A strip, a tile or a whole picture; libjpeg is told what its colours are."""
    colours = 1 if layout.planar else layout.samples
    mode = {1: "L", 3: "RGB", 4: "CMYK"}.get(colours)
    if mode is None:
        raise PhotoError(f"holds JPEG of a kind that is not read (got {colours} channels)")
    if b"Adobe" not in body[:1024] and b"JFIF" not in body[:1024]:
        body = body[:2] + _ADOBE + bytes([layout.photometric == YCBCR]) + body[2:]
    try:
        height, width, *_ = decode_jpeg_header(body)
        _check_part(height, width, layout)
        pixels = read_jpeg(body, mode, notes)
    except (NotCheckableError, ValueError):
        raise PhotoError("holds JPEG of a kind that is not read") from None
    return pixels if pixels.ndim == 3 else pixels[..., None]


def _decode_jpeg(page: Directory, layout: Layout, notes: list[str]) -> list[Samples]:
    """Each strip or tile as (rows, columns, samples); YCbCr becomes RGB."""
    if layout.bits != 8:
        raise PhotoError(f"holds JPEG of a kind that is not read (got {layout.bits} bits)")
    tables = page.raw(Tag.JPEG_TABLES).removesuffix(b"\xff\xd9")
    return [
        _jpeg(tables + segment[2:] if tables else segment, layout, notes)
        for segment in segments_of(page, layout, 1, 1)
    ]


def _decode_webp(page: Directory, layout: Layout) -> list[Samples]:
    parts = []
    for segment in segments_of(page, layout, 1, 1):
        with Image.open(io.BytesIO(segment), formats=("WEBP",)) as image:
            _check_part(image.height, image.width, layout)
            parts.append(np.asarray(image.convert("RGBA" if layout.samples == 4 else "RGB")))
    return parts


def _old_jpeg(page: Directory, layout: Layout, notes: list[str]) -> list[Samples]:
    """The whole JPEG file that an old-style TIFF holds (section 22)."""
    start, size = page.integer(Tag.JPEG_START), page.integer(Tag.JPEG_SIZE)
    page.file.seek(start)
    body = page.file.read(size) if start and size else b""
    if body[:2] != b"\xff\xd8":
        raise PhotoError("holds old-style JPEG of a kind that is not read")
    return [_jpeg(body, layout, notes)]


def _put_together(parts: list[Samples], layout: Layout) -> Samples:
    """Places strips or tiles, plane after plane, (H, W, samples)."""
    result = np.empty((layout.height, layout.width, layout.samples), parts[0].dtype)
    rows, columns = layout.part
    places = [
        (plane, top, left)
        for plane in range(layout.planes)
        for top in range(0, layout.height, rows)
        for left in range(0, layout.width, columns)
    ]
    for part, (plane, top, left) in zip(parts, places, strict=False):
        channels = slice(plane, plane + 1) if layout.planar else slice(None)
        target = result[top : top + rows, left : left + columns, channels]
        if part.shape[0] < target.shape[0] or part.shape[1] < target.shape[1]:
            raise PhotoError("is damaged: a part of it is smaller than its header says")
        if part.shape[2] != target.shape[2]:
            raise PhotoError("is damaged: a part of it has another number of channels")
        target[:] = part[: target.shape[0], : target.shape[1]]
    return result


def read_samples(page: Directory, layout: Layout, notes: list[str]) -> Samples:
    """Reads a page as (H, W, samples) of `layout.bits` bits; JPEG's YCbCr comes as RGB.

    Raises PhotoError for a layout that is not read, and where data is missing.
    """
    if layout.compression in (JPEG, OLD_JPEG, WEBP):
        if layout.compression == OLD_JPEG:
            whole = replace(layout, part=(layout.height, layout.width), planar=False)
            parts, layout = _old_jpeg(page, whole, notes), whole
        elif layout.compression == JPEG:
            parts = _decode_jpeg(page, layout, notes)
        else:
            parts = _decode_webp(page, layout)
        return _put_together(parts, layout)
    rows = inflate_rows(page, layout)
    if layout.subsampling != (1, 1):
        pixels = _blocks_to_pixels(rows, layout)
    else:
        count = layout.part[1] * layout.per_pixel
        values = _unpack(rows, count, layout.bits, page.order)
        pixels = values.reshape(len(values), layout.part[1], layout.per_pixel)
        pixels = _undo_prediction(pixels, layout.predictor, layout.bits)
    if layout.planes == 1 and layout.part[1] == layout.width and Tag.TILE_WIDTH not in page:
        return pixels[: layout.height]  # strips follow one another
    height = ceil(layout.part[0] / layout.subsampling[1]) * layout.subsampling[1]
    if Tag.TILE_WIDTH in page:
        parts = [pixels[top : top + height] for top in range(0, len(pixels), height)]
    else:
        parts = []
        for plane in range(layout.planes):
            rows_of_plane = pixels[plane * layout.height : (plane + 1) * layout.height]
            parts += [rows_of_plane[top : top + height] for top in range(0, layout.height, height)]
    return _put_together(parts, layout)
