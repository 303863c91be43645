"""The boxes of a JPEG 2000 file (ISO/IEC 15444-1, annex I)."""

import struct
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from srmodels.errors import PhotoError
from srmodels.images.readers.boxes import boxes

__all__ = ["Header", "read_boxes"]


@dataclass(slots=True)
class Header:
    """What the boxes say."""

    space: int | None = None  # enumerated
    lab: tuple[int, ...] = ()
    icc: bytes | None = None
    palette: NDArray[np.uint16] | None = None  # (entries, columns)
    palette_bits: int = 8
    mapping: list[tuple[int, int, int]] = field(default_factory=list)  # component, uses, column
    channels: list[tuple[int, int, int]] = field(default_factory=list)  # index, type, association
    dpi: tuple[float, float] | None = None
    xmp: bytes | None = None
    exif: bytes | None = None


def _read_colour(body: bytes, header: Header) -> None:
    """The first colour specification that is understood counts (section I.5.3.3)."""
    if header.space is not None or header.icc is not None:
        return
    if body[0] == 1:
        header.space = int.from_bytes(body[3:7], "big")
        count = len(body[7:]) // 4
        header.lab = struct.unpack_from(f">{count}L", body, 7)
    elif body[0] in (2, 3):
        header.icc = body[3:]


def _read_palette(body: bytes, header: Header) -> None:
    entries, columns = struct.unpack_from(">HB", body)
    bits = {(value & 127) + 1 for value in body[3 : 3 + columns]}
    if len(bits) != 1 or max(bits) > 16 or not entries:
        raise PhotoError("has a palette of a kind that is not read")
    header.palette_bits = bits.pop()
    dtype = ">u1" if header.palette_bits <= 8 else ">u2"
    table = np.frombuffer(body, dtype, entries * columns, 3 + columns)
    header.palette = table.astype(np.uint16).reshape(entries, columns)


def _read_resolution(body: bytes) -> tuple[float, float] | None:
    """Pixels per inch of a box resc or resd (section I.5.3.7); None if it is none."""
    if len(body) < 10:
        return None
    n_down, d_down, n_across, d_across, e_down, e_across = struct.unpack_from(">HHHHbb", body)
    if not (d_across and d_down):
        return None
    return n_across / d_across * 10**e_across * 0.0254, n_down / d_down * 10**e_down * 0.0254


_XMP = bytes.fromhex("BE7ACFCB97A942E89C71999491E3AFAC")
_EXIF = b"JpgTiffExif->JP2"


def read_boxes(body: bytes) -> tuple[Header, bytes]:
    """The header and the codestream."""
    header, codestream = Header(), b""
    for kind, start, end in boxes(body):
        content = body[start:end]
        if kind == b"jp2h":
            for inner, first, last in boxes(content):
                part = content[first:last]
                if inner == b"colr":
                    _read_colour(part, header)
                elif inner == b"pclr":
                    _read_palette(part, header)
                elif inner == b"cmap":
                    header.mapping = list(struct.iter_unpack(">HBB", part))
                elif inner == b"cdef":
                    header.channels = list(struct.iter_unpack(">HHH", part[2:]))
                elif inner == b"res ":
                    found = [box for box in boxes(part) if box.kind in (b"resc", b"resd")]
                    if found:
                        header.dpi = _read_resolution(part[found[-1].start : found[-1].end])
        elif kind == b"jp2c" and not codestream:
            codestream = content
        elif kind == b"uuid" and content[:16] == _XMP:
            header.xmp = content[16:]
        elif kind == b"uuid" and content[:16] == _EXIF:
            header.exif = content[16:]
    return header, codestream
