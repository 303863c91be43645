"""The directories of a TIFF, BigTIFF or RAW in TIFF's clothes, and what they say it is.

Adobe, "TIFF Revision 6.0", 1992; sub-directories: TIFF Technical Note 1; BigTIFF: libtiff's design.
"""

import os
import struct
from collections.abc import Iterator
from dataclasses import dataclass, field
from enum import IntEnum
from typing import BinaryIO

import numpy as np

__all__ = ["MAX_COUNTED", "Directory", "Tag", "directories", "full_size", "is_raw", "is_tiff"]

# types of values (section 2); a rational is two
_TYPES = {
    **{1: "u1", 2: "u1", 3: "u2", 4: "u4", 5: "u4", 6: "i1", 7: "u1", 8: "i2", 9: "i4", 10: "i4"},
    **{13: "u4", 16: "u8", 18: "u8"},
}
_RATIONALS = (5, 10)
_RAW_PHOTOMETRIC = (32803, 34892)  # colour filter array, linear raw (DNG 1.7, table 1)
# Kodak, Sony, Epson, Samsung (2), Kodak, Nikon, Kodak, Pentax: libtiff's tiff.h, and LibRaw
_RAW_COMPRESSION = (262, 32767, 32769, 32770, 32772, 32867, 34713, 65000, 65535)
_LOOKED_AT = 100  # directories
MAX_COUNTED = 1000


class Tag(IntEnum):
    """The tags that are read (TIFF 6.0; JPEG tables: Technical Note 2; DNG 1.7)."""

    NEW_SUBFILE_TYPE = 254
    SUBFILE_TYPE = 255
    WIDTH = 256
    HEIGHT = 257
    BITS = 258
    COMPRESSION = 259
    PHOTOMETRIC = 262
    FILL_ORDER = 266
    MAKE = 271
    STRIP_OFFSETS = 273
    ORIENTATION = 274
    SAMPLES = 277
    ROWS_PER_STRIP = 278
    STRIP_SIZES = 279
    X_RESOLUTION = 282
    Y_RESOLUTION = 283
    PLANAR = 284
    T4_OPTIONS = 292
    RESOLUTION_UNIT = 296
    PREDICTOR = 317
    WHITE_POINT = 318
    PALETTE = 320
    TILE_WIDTH = 322
    TILE_HEIGHT = 323
    TILE_OFFSETS = 324
    TILE_SIZES = 325
    SUB_DIRECTORIES = 330
    INK_SET = 332
    EXTRA_SAMPLES = 338
    SAMPLE_FORMAT = 339
    JPEG_TABLES = 347
    JPEG_START = 513
    JPEG_SIZE = 514
    YCBCR_COEFFICIENTS = 529
    YCBCR_SUBSAMPLING = 530
    REFERENCE_BLACK_WHITE = 532
    XMP = 700
    LEAF = 34310
    ICC = 34675
    DNG_VERSION = 50706
    DNG_CROP_ORIGIN = 50719
    DNG_CROP_SIZE = 50720
    DNG_USER_CROP = 51125


def is_tiff(head: bytes) -> bool:
    """Whether a file begins as a TIFF or a BigTIFF."""
    return head[:4] in (b"II*\0", b"MM\0*", b"II+\0", b"MM\0+")


@dataclass(slots=True)
class Directory:
    """A directory's entries; values are read when asked for."""

    file: BinaryIO
    order: str  # of struct
    big: bool
    entries: dict[int, tuple[int, int, bytes]] = field(default_factory=dict)

    def __contains__(self, tag: int) -> bool:
        return tag in self.entries

    def numbers(self, tag: int) -> tuple[float, ...]:
        """A tag's values; none if it is missing, or of another type, or beyond the file's end."""
        kind, count, inline = self.entries.get(tag, (0, 0, b""))
        if kind not in _TYPES:
            return ()
        dtype = np.dtype(f"{self.order}{_TYPES[kind]}")
        size = count * dtype.itemsize * (2 if kind in _RATIONALS else 1)
        if size > len(inline):
            (offset,) = struct.unpack(f"{self.order}{'Q' if self.big else 'L'}", inline)
            if offset + size > self.file.seek(0, os.SEEK_END):
                return ()
            self.file.seek(offset)
            inline = self.file.read(size)
        values = np.frombuffer(inline[:size], dtype).tolist()
        if kind in _RATIONALS:
            pairs = zip(values[::2], values[1::2], strict=True)
            return tuple(above / below if below else 0.0 for above, below in pairs)
        return tuple(values)

    def integers(self, tag: int, default: tuple[int, ...] = ()) -> tuple[int, ...]:
        """A tag's values as integers."""
        return tuple(map(int, self.numbers(tag))) or default

    def integer(self, tag: int, default: int = 0) -> int:
        """A tag's first value as an integer."""
        return self.integers(tag, (default,))[0]

    def raw(self, tag: int) -> bytes:
        """A tag's bytes."""
        return bytes(value & 255 for value in self.integers(tag))

    @property
    def area(self) -> int:
        """Pixels."""
        return self.integer(Tag.WIDTH) * self.integer(Tag.HEIGHT)

    @property
    def is_reduced(self) -> bool:
        """Whether it is a thumbnail or a mask of another picture."""
        return bool(self.integer(Tag.NEW_SUBFILE_TYPE) & 5) or self.integer(Tag.SUBFILE_TYPE) == 2


def _read(file: BinaryIO, order: str, big: bool, start: int) -> tuple[Directory, int]:
    """A directory and where the next one is; raises struct.error beyond the end."""
    file.seek(start)
    (count,) = struct.unpack(f"{order}{'Q' if big else 'H'}", file.read(8 if big else 2))
    size, value_at = (20, 12) if big else (12, 8)
    data = file.read(min(count, 65535) * size)
    directory = Directory(file, order, big)
    for at in range(0, len(data) - size + 1, size):
        tag, kind = struct.unpack_from(f"{order}HH", data, at)
        (number,) = struct.unpack_from(f"{order}{'Q' if big else 'L'}", data, at + 4)
        directory.entries.setdefault(tag, (kind, number, data[at + value_at : at + size]))
    following = file.read(8 if big else 4)
    if len(following) < (8 if big else 4):
        return directory, 0
    return directory, struct.unpack(f"{order}{'Q' if big else 'L'}", following)[0]


def _chain(file: BinaryIO, order: str, big: bool, start: int) -> Iterator[Directory]:
    seen: set[int] = set()
    while start and start not in seen and len(seen) < MAX_COUNTED:
        seen.add(start)
        try:
            directory, start = _read(file, order, big, start)
        except (struct.error, ValueError, OverflowError):  # beyond the end, or any file's
            return
        yield directory


def directories(file: BinaryIO) -> tuple[list[Directory], list[Directory], int]:
    """The first 100 main directories, their sub-directories, and the count of main ones to 1000."""
    file.seek(0)
    head = file.read(16)
    order = "<" if head[:2] == b"II" else ">"
    big = head[2:4] in (b"+\0", b"\0+")
    if len(head) < (16 if big else 8):
        return [], [], 0
    (start,) = struct.unpack_from(f"{order}{'Q' if big else 'L'}", head, 8 if big else 4)
    main: list[Directory] = []
    count = 0
    for directory in _chain(file, order, big, start):
        count += 1
        if len(main) < _LOOKED_AT:
            main.append(directory)
    subs: list[Directory] = []
    todo = [at for directory in main for at in directory.integers(Tag.SUB_DIRECTORIES)]
    while todo and len(subs) < _LOOKED_AT:
        for directory in _chain(file, order, big, todo.pop(0)):
            subs.append(directory)
            if len(subs) >= _LOOKED_AT:
                break
            todo += directory.integers(Tag.SUB_DIRECTORIES)[:_LOOKED_AT]
    return main, subs, count


def _has_lossless_jpeg(directory: Directory) -> bool:
    """Whether a camera's first strip is lossless JPEG (ITU-T T.81, marker SOF3): Canon's sensor."""
    if directory.integer(Tag.COMPRESSION) not in (6, 7) or Tag.MAKE not in directory:
        return False
    for tag in (Tag.STRIP_OFFSETS, Tag.TILE_OFFSETS):
        if start := directory.integer(tag):
            directory.file.seek(start)
            head = directory.file.read(4096)
            return head[:2] == b"\xff\xd8" and b"\xff\xc3" in head
    return False


def is_raw(file: BinaryIO) -> bool:
    """Whether any directory of a TIFF holds a camera's sensor values."""
    file.seek(8)
    signature = file.read(4)
    if signature in (b"CR\x02\0", b"IIII", b"MMMM") or signature[:2] == b"CR":  # Canon, Phase One
        return True
    main, subs, _ = directories(file)
    return any(
        Tag.DNG_VERSION in directory
        or Tag.LEAF in directory
        or directory.integer(Tag.PHOTOMETRIC) in _RAW_PHOTOMETRIC
        or directory.integer(Tag.COMPRESSION) in _RAW_COMPRESSION
        or _has_lossless_jpeg(directory)
        for directory in main + subs
    )


def full_size(main: list[Directory], subs: list[Directory]) -> Directory | None:
    """The picture: the first that is no thumbnail or mask, or a sub-directory that is larger."""
    pictures = [directory for directory in main if directory.area and not directory.is_reduced]
    larger = [
        directory
        for directory in subs
        if not directory.is_reduced and (not pictures or directory.area > pictures[0].area)
    ]
    if pictures and not larger:
        return pictures[0]
    chosen = larger or [directory for directory in main + subs if directory.area]
    return max(chosen, key=lambda found: found.area, default=None)
