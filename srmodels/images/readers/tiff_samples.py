"""A TIFF's samples as numbers: strips or tiles, decompressed, unpacked and put together.

libtiff (through Pillow) decompresses, from a small TIFF that is made of the compressed strips and
says nothing of their meaning. JPEG goes to `read_jpeg`, which notices missing data.
"""

import io
import struct
from dataclasses import dataclass, replace
from math import ceil, prod

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from srmodels.errors import PhotoError
from srmodels.images.readers.jpeg import NotCheckableError, read_jpeg
from srmodels.images.tiff_directories import Directory

__all__ = ["Layout", "layout_of", "read_samples"]

Samples = NDArray[np.uint8 | np.uint16 | np.uint32]

_NONE, _JPEG, _OLD_JPEG, _WEBP = 1, 7, 6, 50001
_CCITT = (2, 3, 4, 32771)
# LZW, deflate (2), PackBits, LZMA, zstd: libtiff's tiff.h
_BYTEWISE = (5, 8, 32946, 32773, 34925, 50000)
_YCBCR = 6
# an Adobe segment with the transform that JPEG's three colours need: none, or YCbCr
_ADOBE = b"\xff\xee\x00\x0eAdobe\x00\x64\x00\x00\x00\x00"


@dataclass(frozen=True, slots=True)
class Layout:
    """How samples are stored."""

    height: int
    width: int
    samples: int
    bits: int
    compression: int
    photometric: int
    predictor: int
    planar: bool  # a plane per sample
    part: tuple[int, int]  # height and width of a strip or tile
    subsampling: tuple[int, int]  # of YCbCr without JPEG: across, down

    @property
    def planes(self) -> int:
        """Planes that are stored apart."""
        return self.samples if self.planar else 1

    @property
    def per_pixel(self) -> int:
        """Samples that are stored together."""
        return 1 if self.planar else self.samples


def layout_of(page: Directory) -> Layout:
    """The layout of a page; raises PhotoError for one that is not read."""
    width, height = page.integer(256), page.integer(257)
    samples = page.integer(277, 1)
    bits = {*page.integers(258, (1,))}
    if not (0 < samples <= 64 and width > 0 and height > 0):
        raise PhotoError("is a damaged TIFF (its size is missing)")
    if len(bits) > 1 or not 1 <= min(bits) <= 32:
        raise PhotoError(f"has samples of a kind that is not read (got {sorted(bits)} bits)")
    compression, photometric = page.integer(259, 1), page.integer(262, -1)
    if compression not in (_NONE, _JPEG, _OLD_JPEG, _WEBP, *_CCITT, *_BYTEWISE):
        raise PhotoError(f"is compressed in a way that is not read (got {compression})")
    tiled = 322 in page
    part = (
        (page.integer(323), page.integer(322))
        if tiled
        else (min(page.integer(278, height) or height, height), width)
    )
    if min(part) < 1 or prod(part) > 4 * max(height * width, 2**16):
        raise PhotoError("is a damaged TIFF (its strips have no size)")
    across, down = (*page.integers(530, (2, 2)), 1)[:2]
    ycbcr = photometric == _YCBCR and compression not in (_JPEG, _OLD_JPEG, _WEBP)
    layout = Layout(
        height=height,
        width=width,
        samples=samples,
        bits=bits.pop(),
        compression=compression,
        photometric=photometric,
        predictor=page.integer(317, 1) if compression not in (_NONE, *_CCITT, _JPEG) else 1,
        planar=page.integer(284, 1) == 2 and samples > 1,
        part=part,
        subsampling=(across, down) if ycbcr else (1, 1),
    )
    if layout.subsampling != (1, 1) and (layout.planar or layout.bits != 8 or samples != 3):
        raise PhotoError("has YCbCr samples in a layout that is not read")
    return layout


def _segments(page: Directory, layout: Layout, row_bytes: int, rows: int) -> list[bytes]:
    """The data of all strips or tiles, plane after plane; raises PhotoError where it is missing."""
    tiled = 322 in page
    offsets = page.integers(324 if tiled else 273) or page.integers(273)
    sizes = page.integers(325 if tiled else 279) or page.integers(279)
    down, across = (ceil(side / part) for side, part in _grid(layout))
    needed = layout.planes * down * across
    if len(offsets) < needed:
        raise PhotoError(f"is damaged: {needed - len(offsets)} of its {needed} parts are missing")
    file = page.file
    end = file.seek(0, 2)
    found = []
    for index, offset in enumerate(offsets[:needed]):
        last_rows = layout.height - (down - 1) * layout.part[0]
        is_last = not tiled and index % down == down - 1
        full = row_bytes * (ceil(last_rows / layout.subsampling[1]) if is_last else rows)
        if layout.compression == _NONE:
            if len(sizes) >= needed and sizes[index] < full:
                raise PhotoError("is damaged: a part of it is missing")
            size = full
        elif len(sizes) >= needed:
            size = sizes[index]
        elif needed == 1:
            size = end - offset
        else:
            raise PhotoError("is a damaged TIFF (the sizes of its parts are missing)")
        if not 0 < offset <= offset + size <= end or size == 0:
            raise PhotoError("is cut off: its pixels go on beyond its end")
        file.seek(offset)
        found.append(file.read(size))
    return found


def _grid(layout: Layout) -> tuple[tuple[int, int], tuple[int, int]]:
    return (layout.height, layout.part[0]), (layout.width, layout.part[1])


def _small_tiff(segments: list[bytes], rows: int, width: int, tags: dict[int, int]) -> bytes:
    """A grey TIFF of strips of `rows` rows each."""
    count = len(segments)
    places = np.cumsum([8, *map(len, segments)])
    lists = np.concatenate((places[:-1], [len(part) for part in segments])).astype("<u4").tobytes()
    start = int(places[-1])
    if start > 2**32 - 2**24:
        raise PhotoError("has more compressed data than can be read (got over 4 GiB)")
    offsets, sizes = (
        (start, start + 4 * count)
        if count > 1
        else struct.unpack("<LL", lists)  # a single value stands in the entry
    )
    entries = {
        **{256: width, 257: rows * count, 258: 8, 262: 1, 273: offsets, 277: 1, 278: rows},
        **{279: sizes},
        **tags,
    }
    body = struct.pack("<H", len(entries))
    for tag, value in sorted(entries.items()):
        body += struct.pack("<HHLL", tag, 4, count if tag in (273, 279) else 1, value)
    head = b"II*\0" + struct.pack("<L", start + len(lists))
    return b"".join([head, *segments, lists, body, bytes(4)])


def _by_libtiff(segments: list[bytes], rows: int, width: int, tags: dict[int, int]) -> Samples:
    """Decompresses strips of equal height to (len(segments) * rows, width)."""
    with Image.open(
        io.BytesIO(_small_tiff(segments, rows, width, tags)), formats=("TIFF",)
    ) as image:
        return np.asarray(image).view(np.uint8)


def _bytes_of(page: Directory, layout: Layout) -> NDArray[np.uint8]:
    """The decompressed rows of all strips or tiles, one below the other, (rows, bytes)."""
    across, down = layout.subsampling
    units = ceil(layout.part[1] / across)  # of YCbCr: a block of luma with its two chroma samples
    unit = across * down + 2 if (across, down) != (1, 1) else layout.per_pixel
    row_bytes = (units * unit * layout.bits + 7) // 8
    rows = ceil(layout.part[0] / down)
    segments = _segments(page, layout, row_bytes, rows)
    fill_order = page.integer(266, 1)
    if layout.compression == _NONE and fill_order == 1:
        parts = [np.frombuffer(part, np.uint8).reshape(-1, row_bytes) for part in segments]
        return np.concatenate(parts) if len(parts) > 1 else parts[0]
    tags = {259: layout.compression, 266: fill_order}
    width = row_bytes
    if layout.compression in _CCITT:
        options = 293 if layout.compression == 4 else 292
        tags |= {258: 1, options: page.integer(options)} if layout.compression != 2 else {258: 1}
        width = layout.part[1]
    if 322 in page:
        groups = [(segments, rows)]
    else:  # the last strip of a plane may have fewer rows
        per_plane = len(segments) // layout.planes
        last = ceil((layout.height - (per_plane - 1) * layout.part[0]) / down)
        groups = []
        for first in range(0, len(segments), per_plane):
            groups.append((segments[first : first + per_plane - 1], rows))
            groups.append((segments[first + per_plane - 1 : first + per_plane], last))
    try:
        decoded = [_by_libtiff(part, count, width, tags) for part, count in groups if part]
    except (OSError, ValueError) as error:
        raise PhotoError(f"is damaged: its compressed data ends early ({error})") from None
    stacked = np.concatenate(decoded) if len(decoded) > 1 else decoded[0]
    return np.packbits(stacked, axis=1) if layout.compression in _CCITT else stacked


def _unpack(rows: NDArray[np.uint8], count: int, bits: int, order: str) -> Samples:
    """`count` samples of each row, (rows, count)."""
    if bits in (8, 16, 32):
        dtype = np.dtype(f"{order}u{bits // 8}")
        return np.ascontiguousarray(rows).view(dtype).astype(dtype.newbyteorder("="), copy=False)
    result = np.empty((len(rows), count), np.uint8 if bits < 8 else np.uint16)
    if bits > 16:
        raise PhotoError(f"has samples of a kind that is not read (got {bits} bits)")
    weights = (1 << np.arange(bits - 1, -1, -1)).astype(np.uint16)
    step = max(1, 2**22 // max(1, count * bits))
    for top in range(0, len(rows), step):
        bitmap = np.unpackbits(rows[top : top + step], axis=1)[:, : count * bits]
        result[top : top + step] = bitmap.reshape(-1, count, bits) @ weights
    return result


def _undo_prediction(values: Samples, predictor: int) -> Samples:
    """Sums differences along rows of (rows, columns, samples); section 14."""
    if predictor == 1:
        return values
    if predictor == 2 and values.dtype.itemsize in (1, 2, 4):
        return values.cumsum(axis=1, dtype=values.dtype)
    raise PhotoError(f"has a predictor that is not read (got {predictor})")


def _blocks_to_pixels(rows: Samples, layout: Layout) -> Samples:
    """YCbCr blocks (section 21) to (rows, columns, 3); chroma is repeated."""
    across, down = layout.subsampling
    blocks = rows.reshape(len(rows), -1, across * down + 2)
    luma = blocks[..., :-2].reshape(*blocks.shape[:2], down, across)
    luma = luma.swapaxes(1, 2).reshape(len(rows) * down, -1)
    chroma = blocks[..., -2:].repeat(down, axis=0).repeat(across, axis=1)
    return np.concatenate((luma[..., None], chroma), axis=2)[:, : layout.part[1]]


def _decode_jpeg(page: Directory, layout: Layout, notes: list[str]) -> list[Samples]:
    """Each strip or tile as (rows, columns, samples); YCbCr becomes RGB."""
    if layout.bits != 8:
        raise PhotoError(f"holds JPEG of a kind that is not read (got {layout.bits} bits)")
    tables = page.raw(347)
    colours = 1 if layout.planar else layout.samples
    mode = {1: "L", 3: "RGB", 4: "CMYK"}.get(colours)
    if mode is None:
        raise PhotoError(f"holds JPEG of a kind that is not read (got {colours} channels)")
    transform = bytes([int(layout.photometric == _YCBCR)])
    parts = []
    for segment in _segments(page, layout, 1, 1):
        body = segment[2:] if tables else segment
        if tables:
            body = tables.removesuffix(b"\xff\xd9") + body
        if b"Adobe" not in body[:1024]:
            body = body[:2] + _ADOBE + transform + body[2:]
        try:
            pixels = read_jpeg(body, mode, notes)
        except NotCheckableError:
            raise PhotoError("holds JPEG of a kind that is not read") from None
        parts.append(pixels if pixels.ndim == 3 else pixels[..., None])
    return parts


def _decode_webp(page: Directory, layout: Layout) -> list[Samples]:
    parts = []
    for segment in _segments(page, layout, 1, 1):
        with Image.open(io.BytesIO(segment), formats=("WEBP",)) as image:
            parts.append(np.asarray(image.convert("RGBA" if layout.samples == 4 else "RGB")))
    return parts


def _old_jpeg(page: Directory, notes: list[str]) -> list[Samples]:
    """The whole JPEG file that an old-style TIFF holds (section 22)."""
    start, size = page.integer(513), page.integer(514)
    page.file.seek(start)
    body = page.file.read(size) if start and size else b""
    if body[:2] != b"\xff\xd8":
        raise PhotoError("holds old-style JPEG of a kind that is not read")
    try:
        pixels = read_jpeg(body, "L" if page.integer(277, 1) == 1 else "RGB", notes)
    except NotCheckableError:
        raise PhotoError("holds JPEG of a kind that is not read") from None
    return [pixels if pixels.ndim == 3 else pixels[..., None]]


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
    if layout.compression in (_JPEG, _OLD_JPEG, _WEBP):
        if layout.compression == _OLD_JPEG:
            whole = replace(layout, part=(layout.height, layout.width), planar=False)
            parts, layout = _old_jpeg(page, notes), whole
        elif layout.compression == _JPEG:
            parts = _decode_jpeg(page, layout, notes)
        else:
            parts = _decode_webp(page, layout)
        return _put_together(parts, layout)
    rows = _bytes_of(page, layout)
    if layout.subsampling != (1, 1):
        pixels = _blocks_to_pixels(rows, layout)
    else:
        count = layout.part[1] * layout.per_pixel
        values = _unpack(rows, count, layout.bits, page.order)
        pixels = values.reshape(len(values), layout.part[1], layout.per_pixel)
        pixels = _undo_prediction(pixels, layout.predictor)
    if layout.planes == 1 and layout.part[1] == layout.width and 322 not in page:
        return pixels[: layout.height]  # strips follow one another
    height = ceil(layout.part[0] / layout.subsampling[1]) * layout.subsampling[1]
    if 322 in page:
        parts = [pixels[top : top + height] for top in range(0, len(pixels), height)]
    else:
        parts = []
        for plane in range(layout.planes):
            whole = pixels[plane * layout.height : (plane + 1) * layout.height]
            parts += [whole[top : top + height] for top in range(0, layout.height, height)]
    return _put_together(parts, layout)
