"""Colours and metadata of a PNG."""

import struct
import zlib

from srmodels.errors import PhotoError
from srmodels.images.colour_spaces import ColourSpace, from_cicp, from_gamma
from srmodels.images.readers.inflate import inflate
from srmodels.images.readers.png.chunks import Png

__all__ = ["colour_space", "xmp_packet"]

_MAX_SIDE_DATA = 2**24  # bytes of a profile or of XMP, inflated


def _inflated(data: bytes, what: str, notes: list[str]) -> bytes | None:
    try:
        return inflate(data, _MAX_SIDE_DATA)
    except (zlib.error, PhotoError):
        notes.append(f"its {what} cannot be read; left out")
        return None


def colour_space(png: Png, notes: list[str]) -> tuple[bytes | None, ColourSpace | None]:
    """A profile or a space, by the order of section 13.15: cICP, iCCP, sRGB, gAMA and cHRM."""
    if (codes := png.first(b"cICP")) and len(codes) >= 4:
        if codes[3] != 1:
            raise PhotoError("has values of video's narrow range. Export full range")
        return None, from_cicp(codes[0], codes[1])
    if profile := png.first(b"iCCP"):
        icc = _inflated(profile.partition(b"\0")[2][1:], "colour profile", notes)
        if icc:
            return icc, None
    if png.first(b"sRGB"):
        return None, None
    gamma, points = png.first(b"gAMA"), png.first(b"cHRM")
    exponent = int.from_bytes(gamma[:4], "big") if gamma else 0
    primaries = None
    if points and len(points) >= 32:
        numbers = [value / 100_000 for value in struct.unpack_from(">8L", points)]
        white, *others = zip(numbers[::2], numbers[1::2], strict=True)
        if all(0 < y <= 1 and 0 < x < 1 for x, y in (white, *others)):
            primaries = (*others, white)
        else:
            notes.append("its chromaticities are none; taken as sRGB's")
    if not exponent and primaries is None:
        return None, None
    return None, from_gamma(100_000 / exponent if exponent else None, primaries, "gAMA and cHRM")


def xmp_packet(png: Png, notes: list[str]) -> bytes | None:
    """The XMP packet (section 11.3.3.4, iTXt)."""
    for kind, start, end in png.chunks:
        if kind == b"iTXt" and png.body.startswith(b"XML:com.adobe.xmp\0", start):
            compressed = png.body[start + 18]
            text = png.body[start + 20 : end].split(b"\0", 2)[-1]
            return _inflated(text, "XMP data", notes) if compressed else text
    return None
