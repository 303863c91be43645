"""A TIFF's strips or tiles, decompressed to rows of bytes.

libtiff (through Pillow) decompresses, from a small TIFF that is made of the compressed strips and
says nothing of their meaning.
"""

import io
import struct
from dataclasses import dataclass
from math import ceil, prod
from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from srmodels.errors import PhotoError
from srmodels.images.readers.tiff.directories import Directory, Tag
from srmodels.images.readers.tiff.fax import FAX, fax_rows

__all__ = [
    "JPEG",
    "OLD_JPEG",
    "WEBP",
    "YCBCR",
    "Layout",
    "inflate_rows",
    "layout_of",
    "segments_of",
]

_NONE, JPEG, OLD_JPEG, WEBP = 1, 7, 6, 50001
# LZW, deflate (2), PackBits, LZMA, zstd: libtiff's tiff.h
_BYTEWISE = (5, 8, 32946, 32773, 34925, 50000)
YCBCR = 6
_MAX_SAMPLES = 16


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
    width, height = page.integer(Tag.WIDTH), page.integer(Tag.HEIGHT)
    samples = page.integer(Tag.SAMPLES, 1)
    bits = {*page.integers(Tag.BITS, (1,))}
    if samples > _MAX_SAMPLES:
        raise PhotoError(f"has too many channels (got {samples}; {_MAX_SAMPLES} are read)")
    if not (samples > 0 and width > 0 and height > 0):
        raise PhotoError("is a damaged TIFF (its size is missing)")
    if len(bits) > 1 or not 1 <= min(bits) <= 32:
        raise PhotoError(f"has samples of a kind that is not read (got {sorted(bits)} bits)")
    compression, photometric = page.integer(Tag.COMPRESSION, 1), page.integer(Tag.PHOTOMETRIC, -1)
    if compression not in (_NONE, JPEG, OLD_JPEG, WEBP, *_BYTEWISE, *FAX):
        raise PhotoError(f"is compressed in a way that is not read (got {compression})")
    tiled = Tag.TILE_WIDTH in page
    part = (
        (page.integer(Tag.TILE_HEIGHT), page.integer(Tag.TILE_WIDTH))
        if tiled
        else (min(page.integer(Tag.ROWS_PER_STRIP, height) or height, height), width)
    )
    if min(part) < 1 or prod(part) > 4 * max(height * width, 2**16):
        raise PhotoError("is a damaged TIFF (its strips have no size)")
    across, down = (*page.integers(Tag.YCBCR_SUBSAMPLING, (2, 2)), 1)[:2]
    ycbcr = photometric == YCBCR and compression not in (JPEG, OLD_JPEG, WEBP)
    layout = Layout(
        height=height,
        width=width,
        samples=samples,
        bits=bits.pop(),
        compression=compression,
        photometric=photometric,
        predictor=page.integer(Tag.PREDICTOR, 1) if compression in _BYTEWISE else 1,
        planar=page.integer(Tag.PLANAR, 1) == 2 and samples > 1,
        part=part,
        subsampling=(across, down) if ycbcr else (1, 1),
    )
    if compression in FAX and (samples, layout.bits) != (1, 1):
        raise PhotoError(f"is a damaged fax (got {samples} channels of {layout.bits} bits)")
    if layout.subsampling != (1, 1) and (layout.planar or layout.bits != 8 or samples != 3):
        raise PhotoError("has YCbCr samples in a layout that is not read")
    return layout


def segments_of(page: Directory, layout: Layout, row_bytes: int, rows: int) -> list[bytes]:
    """The data of all strips or tiles, plane after plane; raises PhotoError where it is missing."""
    tiled = Tag.TILE_WIDTH in page
    offsets = page.integers(Tag.TILE_OFFSETS if tiled else 273) or page.integers(Tag.STRIP_OFFSETS)
    sizes = page.integers(Tag.TILE_SIZES if tiled else 279) or page.integers(Tag.STRIP_SIZES)
    down, across = (ceil(side / part) for side, part in _grid(layout))
    needed = layout.planes * down * across
    if len(offsets) < needed:
        raise PhotoError(f"is damaged: {needed - len(offsets)} of its {needed} parts are missing")
    if needed == 1 and sizes[:1] == (0,):  # of writers that could not go back to fill it in
        sizes = ()
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


def _small_tiff(segments: list[bytes], rows: int, width: int, tags: dict[Tag, int]) -> bytes:
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
    entries: dict[Tag, int] = {
        **{Tag.WIDTH: width, Tag.HEIGHT: rows * count, Tag.BITS: 8, Tag.PHOTOMETRIC: 1},
        **{Tag.STRIP_OFFSETS: offsets, Tag.SAMPLES: 1, Tag.ROWS_PER_STRIP: rows},
        **{Tag.STRIP_SIZES: sizes},
        **tags,
    }
    body = struct.pack("<H", len(entries))
    for tag, value in sorted(entries.items()):
        body += struct.pack(
            "<HHLL", tag, 4, count if tag in (Tag.STRIP_OFFSETS, Tag.STRIP_SIZES) else 1, value
        )
    head = b"II*\0" + struct.pack("<L", start + len(lists))
    return b"".join([head, *segments, lists, body, bytes(4)])


def _by_libtiff(segments: list[bytes], rows: int, width: int, tags: dict[Tag, int]) -> NDArray[Any]:
    """Decompresses strips of equal height to (len(segments) * rows, width), uint8 or bool."""
    file = io.BytesIO(_small_tiff(segments, rows, width, tags))
    try:
        with Image.open(file, formats=("TIFF",)) as image:
            return np.asarray(image)
    except (OSError, ValueError) as error:
        raise PhotoError(f"is damaged: its compressed data ends early ({error})") from None


def _fax(
    page: Directory, layout: Layout, segments: list[bytes], fill_order: int
) -> NDArray[np.uint8]:
    height, width = layout.part
    last = layout.height % height if Tag.TILE_WIDTH not in page else 0
    rows = [height] * (len(segments) - 1) + [last or height]
    if fill_order == 2:
        flipped = (
            np.unpackbits(np.frombuffer(part, np.uint8), bitorder="little") for part in segments
        )
        segments = [np.packbits(bits).tobytes() for bits in flipped]
    return fax_rows(
        segments,
        rows,
        layout.compression,
        page.integer(Tag.T4_OPTIONS),
        lambda data, count, tags: _by_libtiff([data], count, width, tags),
    )


def inflate_rows(page: Directory, layout: Layout) -> NDArray[np.uint8]:
    """The decompressed rows of all strips or tiles, one below the other, (rows, bytes)."""
    across, down = layout.subsampling
    units = ceil(layout.part[1] / across)  # of YCbCr: a block of luma with its two chroma samples
    unit = across * down + 2 if (across, down) != (1, 1) else layout.per_pixel
    row_bytes = (units * unit * layout.bits + 7) // 8
    rows = ceil(layout.part[0] / down)
    segments = segments_of(page, layout, row_bytes, rows)
    fill_order = page.integer(Tag.FILL_ORDER, 1)
    if layout.compression == _NONE and fill_order == 1:
        parts = [np.frombuffer(part, np.uint8).reshape(-1, row_bytes) for part in segments]
        return np.concatenate(parts) if len(parts) > 1 else parts[0]
    if layout.compression in FAX:
        return _fax(page, layout, segments, fill_order)
    tags = {Tag.COMPRESSION: layout.compression, Tag.FILL_ORDER: fill_order}
    if Tag.TILE_WIDTH in page:
        groups = [(segments, rows)]
    else:  # the last strip of a plane may have fewer rows
        per_plane = len(segments) // layout.planes
        last = ceil((layout.height - (per_plane - 1) * layout.part[0]) / down)
        groups = []
        for first in range(0, len(segments), per_plane):
            groups.append((segments[first : first + per_plane - 1], rows))
            groups.append((segments[first + per_plane - 1 : first + per_plane], last))
    decoded = [_by_libtiff(part, count, row_bytes, tags) for part, count in groups if part]
    return np.concatenate(decoded) if len(decoded) > 1 else decoded[0]
