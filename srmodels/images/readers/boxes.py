"""Boxes of HEIF, AVIF and JPEG 2000 (ISO/IEC 14496-12, section 4.2; 15444-1, annex I)."""

import io
import os
from collections.abc import Iterator
from typing import BinaryIO, NamedTuple

from srmodels.errors import PhotoError

__all__ = ["Box", "Item", "boxes", "check_boxes", "primary_item", "with_brand"]

_ZERO_RUN = 16384
_MAX_BOXES = 100_000
_MAX_META = 2**26  # bytes


class Box(NamedTuple):
    """A box's type and its place in the bytes it was found in, without the header."""

    kind: bytes
    start: int
    end: int


def boxes(body: bytes, start: int = 0, end: int | None = None) -> Iterator[Box]:
    """The boxes within some bytes; stops at one that goes on beyond them."""
    end = len(body) if end is None else end
    for _ in range(_MAX_BOXES):
        if start + 8 > end:
            return
        size, header = int.from_bytes(body[start : start + 4], "big"), 8
        if size == 1:
            size, header = int.from_bytes(body[start + 8 : start + 16], "big"), 16
        stop = start + size if size else end
        if stop > end or stop < start + header:
            return
        yield Box(body[start + 4 : start + 8], start + header, stop)
        start = stop


def with_brand(file: BinaryIO, brand: bytes, known: tuple[bytes, ...]) -> BinaryIO:
    """The same file, or a copy whose major brand is `brand` if a decoder knows not its own.

    A decoder may ask for the major brand alone, though the compatible ones say as much.
    """
    file.seek(0)
    head = file.read(12)
    file.seek(0)
    if head[8:] in known:
        return file
    return io.BytesIO(head[:8] + brand + file.read()[12:])


def check_boxes(file: BinaryIO) -> None:
    """Raises PhotoError if a HEIF, AVIF or CR3 file ends inside a box, or in a long run of zeros.

    libheif would fill the missing part with one colour.
    """
    end = file.seek(0, os.SEEK_END)
    start = 0
    while start < end:
        file.seek(start)
        head = file.read(16)
        size, kind = int.from_bytes(head[:4], "big"), head[4:8].decode("latin-1")
        if size == 0:  # up to the end of the file
            size = end - start
        if size == 1:
            size = int.from_bytes(head[8:16], "big")
        if size < 8 or start + size > end:
            raise PhotoError(f"is cut off inside its box {kind!r}")
        start += size
    if kind in ("mdat", "\0\0\0\0"):
        # compressed data has no such run (ITU-T H.265, section 7.4.2), metadata a short one at most
        file.seek(max(end - _ZERO_RUN, 0))
        if not file.read().strip(b"\0"):
            raise PhotoError("is cut off: it ends in nothing but zeros")


class Item(NamedTuple):
    """The primary item of a HEIF or AVIF file (ISO/IEC 23008-12)."""

    kind: bytes  # hvc1, av01, grid and so on
    properties: tuple[tuple[bytes, bytes], ...]  # in the order of their application
    parts: bytes  # the kind of what a grid, an overlay or a derived image is made of

    def content(self, kind: bytes) -> bytes:
        """The content of the first property of a kind; empty if there is none."""
        return next((body for name, body in self.properties if name == kind), b"")

    @property
    def codec(self) -> bytes:
        """hvc1, av01 and so on, of the item or of its parts."""
        return self.parts or self.kind


def _number(body: bytes, at: int, size: int) -> int:
    return int.from_bytes(body[at : at + size], "big")


def _item_kinds(body: bytes, box: Box) -> dict[int, bytes]:
    """Type of each item by its number (iinf)."""
    at = box.start + 4 + (2 if body[box.start] == 0 else 4)
    kinds = {}
    for kind, start, _ in boxes(body, at, box.end):
        if kind == b"infe" and body[start] >= 2:
            size = 2 if body[start] == 2 else 4
            at = start + 4 + size + 2
            kinds[_number(body, start + 4, size)] = body[at : at + 4]
    return kinds


def _associations(body: bytes, box: Box, item: int) -> list[int]:
    """Numbers, from 1, of the properties of an item (ipma)."""
    wide, large = body[box.start] >= 1, body[box.start + 3] & 1
    at = box.start + 8
    for _ in range(_number(body, box.start + 4, 4)):
        number = _number(body, at, 4 if wide else 2)
        at += 4 if wide else 2
        count, size = _number(body, at, 1), 2 if large else 1
        at += 1
        found = [_number(body, at + size * k, size) for k in range(count)]
        at += size * count
        if number == item:
            return [index & (0x7FFF if large else 0x7F) for index in found]
        if at >= box.end:
            break
    return []


def _first_part(body: bytes, box: Box, item: int) -> int:
    """The first item that a derived image is made of (iref, dimg); 0 if it is not derived."""
    size = 4 if body[box.start] else 2
    for kind, start, _ in boxes(body, box.start + 4, box.end):
        if kind == b"dimg" and _number(body, start, size) == item:
            return _number(body, start + size + 2, size)
    return 0


def primary_item(file: BinaryIO) -> Item:
    """The primary item; one without kind and properties if the file does not say."""
    file.seek(0)
    while len(head := file.read(16)) >= 8:
        size = _number(head, 0, 4)
        header = 16 if size == 1 else 8
        size = _number(head, 8, 8) if size == 1 else size
        if head[4:8] == b"meta":
            file.seek(header - 16, os.SEEK_CUR)
            return _primary(file.read(min(size - header if size else _MAX_META, _MAX_META)))
        if size < header:
            break
        file.seek(size - 16, os.SEEK_CUR)
    return Item(b"", (), b"")


def _primary(body: bytes) -> Item:
    found = {box.kind: box for box in boxes(body, 4)}
    pitm = found.get(b"pitm")
    if pitm is None or b"iinf" not in found:
        return Item(b"", (), b"")
    item = _number(body, pitm.start + 4, 2 if body[pitm.start] == 0 else 4)
    kinds = _item_kinds(body, found[b"iinf"])
    part = _first_part(body, found[b"iref"], item) if b"iref" in found else 0
    properties: list[tuple[bytes, bytes]] = []
    if b"iprp" in found:
        inner = list(boxes(body, *found[b"iprp"][1:]))
        all_properties = [
            (kind, body[start:end])
            for box in inner
            if box.kind == b"ipco"
            for kind, start, end in boxes(body, *box[1:])
        ]
        for box in inner:
            if box.kind == b"ipma":
                indices = _associations(body, box, item)
                properties += [
                    all_properties[k - 1] for k in indices if 0 < k <= len(all_properties)
                ]
    return Item(kinds.get(item, b""), tuple(properties), kinds.get(part, b"") if part else b"")
