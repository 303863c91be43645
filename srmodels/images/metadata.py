"""The metadata that stays true of an enlarged copy: ICC, EXIF, XMP and DPI.

Orientation, sizes, pixel positions, thumbnails and maker notes (with offsets into the old file) are
dropped. Unreadable metadata is noted and left out.
"""

import re
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from PIL import ExifTags, Image

__all__ = ["Metadata", "metadata_of"]

# EXIF 2.32, tables 3 to 8
_COPIED_TAGS = frozenset(
    {
        *(0x010E, 0x010F, 0x0110, 0x011A, 0x011B, 0x0128, 0x0131, 0x0132, 0x013B, 0x013C),
        *(0x4746, 0x4749, 0x8298, 0x9C9B, 0x9C9C, 0x9C9D, 0x9C9E, 0x9C9F),
    }
)
# maker note; width, height and interoperability; subject area and location
_DROPPED_TAGS = (0x927C, 0xA002, 0xA003, 0xA005, 0x9214, 0xA214)
_MAX_BYTES = 60_000  # a JPEG segment holds 65,533 (ITU-T T.81, section B.1.1.4)
_SIZES = rb"tiff:ImageWidth|tiff:ImageLength|exif:PixelXDimension|exif:PixelYDimension"
_XMP_SIZES = re.compile(
    rb"\s(?:" + _SIZES + rb")=(?:\"[^\"]*\"|'[^']*')|<(" + _SIZES + rb")>[^<]*</\1>"
)
_XMP_ORIENTATION = re.compile(rb"(tiff:Orientation(?:=[\"']|>))\s*[1-8]")
# about other images inside the file: gain maps, depth, films
_XMP_OF_OTHERS = (b"ns.adobe.com/hdr-gain-map", b"ns.google.com/photos/1.0/container")


@dataclass(frozen=True, slots=True)
class Metadata:
    """Metadata for a copy."""

    icc: bytes | None = None
    exif: bytes | None = None  # begins with "Exif" and two zeros, as in a JPEG; upright
    xmp: bytes | None = None
    dpi: tuple[float, float] | None = None  # pixels per inch, horizontal and vertical


def _storable(value: Any) -> Any:  # noqa: ANN401 - a tag has any type
    """Pillow reads text as Latin-1, and would write "?" for what is not ASCII."""
    if isinstance(value, str) and not value.isascii():
        return value.encode("latin-1", "replace")
    return value


def _for_copy(exif: Image.Exif, *, srgb: bool) -> bytes | None:
    copy = Image.Exif()
    for tag in _COPIED_TAGS & exif.keys():
        copy[tag] = _storable(exif[tag])
    for ifd in (ExifTags.IFD.Exif, ExifTags.IFD.GPSInfo):
        values = {
            tag: _storable(value)
            for tag, value in exif.get_ifd(ifd).items()
            if tag not in _DROPPED_TAGS
        }
        if srgb and ExifTags.Base.ColorSpace in values:
            values[ExifTags.Base.ColorSpace] = 1
        if values:
            copy.get_ifd(ifd).update(values)
            copy[ifd] = values
    return copy.tobytes() if len(copy) else None


def _exif_for_copy(exif: Image.Exif, notes: list[str], *, srgb: bool) -> bytes | None:
    data = _for_copy(exif, srgb=srgb)
    if data and len(data) > _MAX_BYTES:
        notes.append(f"its EXIF data is too long to be carried over ({len(data)} bytes); left out")
        return None
    return data


def _xmp_for_copy(packet: object, notes: list[str]) -> bytes | None:
    """The XMP packet (bytes, text or None) for a copy; notes why it is left out."""
    body = packet.encode() if isinstance(packet, str) else packet
    if not isinstance(body, bytes) or not body.strip(b"\0 \n"):
        return None
    if len(body) > _MAX_BYTES:
        notes.append(f"its XMP data is too long to be carried over ({len(body)} bytes); left out")
        return None
    if any(name in body for name in _XMP_OF_OTHERS):
        notes.append("its XMP data is about other pictures in the file; left out")
        return None
    return _XMP_ORIENTATION.sub(rb"\g<1>1", _XMP_SIZES.sub(b"", body))


def _plausible_dpi(value: object) -> tuple[float, float] | None:
    """Pixels per inch, if a file's values are plausible."""
    try:
        across, down = (float(number) for number in value)  # type: ignore[attr-defined]
    except (TypeError, ValueError, ZeroDivisionError):
        return None
    # a density of 1 stands for none
    return (across, down) if 1 < across <= 100_000 and 1 < down <= 100_000 else None


def _exif_dpi(exif: Image.Exif) -> list[float] | None:
    per_unit = {2: 1.0, 3: 2.54}.get(exif.get(ExifTags.Base.ResolutionUnit, 2))
    tags = (ExifTags.Base.XResolution, ExifTags.Base.YResolution)
    if per_unit is None or not all(tag in exif for tag in tags):
        return None
    return [float(exif[tag]) * per_unit for tag in tags]


def metadata_of(
    load_exif: Callable[[], Image.Exif],
    xmp: object,
    dpi: object,
    *,
    icc: bytes | None,
    notes: list[str],
) -> Metadata:
    """The metadata for a copy; `notes` says what cannot be read and is left out.

    `load_exif` may raise anything, `xmp` is a packet (bytes, text or None), `dpi` what the file
    itself says; without it EXIF's resolution counts.
    """
    try:
        exif = load_exif()
        data, exif_dpi = _exif_for_copy(exif, notes, srgb=not icc), _exif_dpi(exif)
    except Exception:  # noqa: BLE001 - damaged EXIF makes Pillow raise anything
        notes.append("its EXIF data cannot be read; left out")
        data = exif_dpi = None
    return Metadata(
        icc=icc,
        exif=data,
        xmp=_xmp_for_copy(xmp, notes),
        dpi=_plausible_dpi(dpi) or _plausible_dpi(exif_dpi),
    )
