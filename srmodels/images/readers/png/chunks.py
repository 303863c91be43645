"""The chunks of a PNG, checked: checksums, completeness, and no more data than there should be.

W3C, "Portable Network Graphics (PNG) Specification (Third Edition)", 2025.
"""

import struct
import zlib
from collections.abc import Iterator
from dataclasses import dataclass

from srmodels.errors import PhotoError
from srmodels.images.limits import check_size
from srmodels.images.readers.inflate import count_inflated

__all__ = [
    "GREY",
    "GREY_ALPHA",
    "PALETTE",
    "RGB",
    "RGBA",
    "Png",
    "check_excess",
    "check_rows",
    "open_png",
]

# section 11.2.1: the header chunk, always the first
_HEADER = struct.Struct(">IIBBBBB")
GREY, RGB, PALETTE, GREY_ALPHA, RGBA = 0, 2, 3, 4, 6
_CHANNELS = {GREY: 1, RGB: 3, PALETTE: 1, GREY_ALPHA: 2, RGBA: 4}
_DEPTHS = {GREY: (1, 2, 4, 8, 16), PALETTE: (1, 2, 4, 8)}
# section 8.2, Adam7: first column and row, steps between columns and rows
_ONE_PASS = ((0, 0, 1, 1),)
_ADAM7 = (
    *((0, 0, 8, 8), (4, 0, 8, 8), (0, 4, 4, 8), (2, 0, 4, 4), (0, 2, 2, 4)),
    *((1, 0, 2, 2), (0, 1, 1, 2)),
)
# chunks that change no pixel
_SIDE_DATA = (
    *(b"iCCP", b"cICP", b"sRGB", b"gAMA", b"cHRM", b"sBIT", b"bKGD", b"hIST", b"sPLT", b"pHYs"),
    *(b"eXIf", b"tIME", b"tEXt", b"zTXt", b"iTXt"),
)
_MAX_EXCESS = 2**16  # bytes of pixels beyond the last row


@dataclass(frozen=True, slots=True)
class Png:
    """A checked file: its header, and the places of its chunks."""

    body: bytes
    chunks: list[tuple[bytes, int, int]]  # kind, start and end of the content
    width: int
    height: int
    depth: int
    colour: int
    interlaced: int

    def first(self, kind: bytes) -> bytes | None:
        """The content of the first chunk of a kind."""
        return next(
            (self.body[start:end] for name, start, end in self.chunks if name == kind), None
        )

    def with_header(self, depth: int, colour: int) -> bytes:
        """The same pixels, and nothing else, under another header."""
        header = struct.pack(
            ">IIBBBBB", self.width, self.height, depth, colour, 0, 0, self.interlaced
        )
        parts = [self.body[:8], _chunk(b"IHDR", header)]
        parts += [
            self.body[start - 8 : end + 4]
            for kind, start, end in self.chunks
            if kind in (b"IDAT", b"IEND")
        ]
        return b"".join(parts)


def _chunk(kind: bytes, data: bytes) -> bytes:
    return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))


def _chunks(body: bytes, notes: list[str]) -> Iterator[tuple[bytes, int, int]]:
    """The kind, start and end of the content of each chunk, up to the end chunk.

    Side data with a wrong checksum is left out, with a note.
    """
    view, start = memoryview(body), 8
    while start < len(body):
        kind = body[start + 4 : start + 8]
        end = start + 12 + int.from_bytes(body[start : start + 4], "big")
        if end > len(body):
            raise PhotoError(f"is cut off inside its chunk {kind.decode('latin-1')}")
        if zlib.crc32(view[start + 4 : end - 4]) == int.from_bytes(view[end - 4 : end], "big"):
            yield kind, start + 8, end - 4
        elif kind in _SIDE_DATA:
            notes.append(f"its {kind.decode()} is damaged (its checksum); left out")
        else:
            raise PhotoError(f"is damaged: the checksum of its chunk {kind.decode('latin-1')}")
        if kind == b"IEND":
            return
        start = end
    raise PhotoError("is cut off: it has no end")


def open_png(body: bytes, max_pixels: int, notes: list[str]) -> Png:
    """Checks the header, the size, then all checksums."""
    if body[12:16] != b"IHDR" or len(body) < 29:
        raise PhotoError("is damaged (it has no header)")
    width, height, depth, colour, *methods, interlaced = _HEADER.unpack_from(body, 16)
    check_size(width, height, max_pixels)
    if (
        not width
        or not height
        or depth not in _DEPTHS.get(colour, (8, 16))
        or colour not in _CHANNELS
        or any(methods)
        or interlaced > 1
    ):
        raise PhotoError("is damaged (its header)")
    return Png(body, list(_chunks(body, notes)), width, height, depth, colour, interlaced)


def _row_bytes(png: Png) -> int:
    """Bytes of all rows, with their filters."""
    bits = png.depth * _CHANNELS[png.colour]
    needed = 0
    for left, top, right, down in _ADAM7 if png.interlaced else _ONE_PASS:
        columns = (png.width - left + right - 1) // right
        rows = (png.height - top + down - 1) // down
        needed += rows * (1 + (columns * bits + 7) // 8) if columns > 0 else 0
    return needed


def check_excess(png: Png) -> None:
    """Raises PhotoError if the compressed data is too long to be that of these rows alone."""
    compressed = sum(end - start for kind, start, end in png.chunks if kind == b"IDAT")
    if compressed > _MAX_EXCESS + 1.25 * _row_bytes(png):
        check_rows(png)


def check_rows(png: Png) -> None:
    """Raises PhotoError if there are fewer rows than the header says, or far more data.

    Damaged data with valid checksums raises zlib.error.
    """
    needed = _row_bytes(png)
    parts = (png.body[start:end] for kind, start, end in png.chunks if kind == b"IDAT")
    count, _ = count_inflated(parts, needed + _MAX_EXCESS)
    if count < needed:
        raise PhotoError("is cut off: its last rows are missing")
    if count > needed + _MAX_EXCESS:
        raise PhotoError("holds far more data than its header says")
