"""What a file says beside its pixels, made fit for an enlarged copy: ICC, EXIF, XMP and DPI.

The copy is upright and has another size, so orientation, sizes, places in pixels and thumbnails
go. Maker notes go too: they hold offsets into the old file. What cannot be read is left out and
noted; it never stops a picture.
"""

import re
from dataclasses import dataclass
from pathlib import Path

from PIL import ExifTags, Image

from srmodels.images.limits import no_own_limit

__all__ = ["Metadata", "exif_of", "exif_of_raw", "xmp_of"]

# EXIF 2.32, tables 3 to 8: what stays true of an enlarged copy of the main picture
_KEPT = frozenset(
    {
        *(0x010E, 0x010F, 0x0110, 0x011A, 0x011B, 0x0128, 0x0131, 0x0132, 0x013B, 0x013C),
        *(0x4746, 0x4749, 0x8298, 0x9C9B, 0x9C9C, 0x9C9D, 0x9C9E, 0x9C9F),
    }
)
# maker note; width, height and interoperability; subject area and location
_UNTRUE = (0x927C, 0xA002, 0xA003, 0xA005, 0x9214, 0xA214)
_MOST_BYTES = 60_000  # a JPEG's segment holds 65,533 (ITU-T T.81, section B.1.1.4)
_XMP_SIZES = re.compile(
    rb"\s(?:tiff:ImageWidth|tiff:ImageLength|exif:PixelXDimension|exif:PixelYDimension)"
    rb"=(?:\"[^\"]*\"|'[^']*')"
    rb"|<(tiff:ImageWidth|tiff:ImageLength|exif:PixelXDimension|exif:PixelYDimension)>"
    rb"[^<]*</\1>"
)
_XMP_ORIENTATION = re.compile(rb"(tiff:Orientation(?:=[\"']|>))\s*[1-8]")
# of other pictures inside the file: gain maps, depth, films
_XMP_OF_OTHERS = (b"ns.adobe.com/hdr-gain-map", b"ns.google.com/photos/1.0/container")


@dataclass(frozen=True, slots=True)
class Metadata:
    """What is carried over; None where there is nothing.

    Attributes:
        icc: The profile of the colours as they are.
        exif: As in a JPEG, from `Exif` and two zeros on; says upright.
        xmp: An XMP packet.
        dpi: Pixels an inch, across and down.
    """

    icc: bytes | None = None
    exif: bytes | None = None
    xmp: bytes | None = None
    dpi: tuple[float, float] | None = None


def _fit(found: Image.Exif) -> bytes | None:
    kept = Image.Exif()
    for tag in _KEPT & found.keys():
        kept[tag] = found[tag]
    for part in (ExifTags.IFD.Exif, ExifTags.IFD.GPSInfo):
        values = {tag: value for tag, value in found.get_ifd(part).items() if tag not in _UNTRUE}
        if values:
            kept.get_ifd(part).update(values)
            kept[part] = values
    if not len(kept):
        return None
    kept[ExifTags.Base.Orientation] = 1
    return kept.tobytes()


def exif_of(image: Image.Image | bytes, notes: list[str]) -> bytes | None:
    """The EXIF data for an enlarged copy; None where there is none, or none that can be read.

    Args:
        image: Which Pillow has opened; or the data itself.
        notes: Gets a sentence where it is left out.
    """
    try:
        if isinstance(image, bytes):
            found = Image.Exif()
            found.load(image)
        else:
            found = image.getexif()
        exif = _fit(found)
    except Exception:  # noqa: BLE001 - damaged EXIF makes Pillow raise anything
        notes.append("its EXIF data cannot be read; left out")
        return None
    if exif and len(exif) > _MOST_BYTES:
        notes.append(f"its EXIF data is too long to be carried over ({len(exif)} bytes); left out")
        return None
    return exif


def exif_of_raw(path: Path) -> bytes | None:
    """The same of a RAW file that is a TIFF inside; None of all others."""
    try:
        with no_own_limit(), Image.open(path, formats=("TIFF",)) as image:
            return exif_of(image, [])
    except Exception:  # noqa: BLE001 - no TIFF, or one of a camera's own making
        return None


def xmp_of(packet: object, notes: list[str]) -> bytes | None:
    """The XMP packet for an enlarged copy.

    Args:
        packet: As a reader has it: bytes, text, or nothing.
        notes: Gets a sentence where it is left out.
    """
    body = packet.encode() if isinstance(packet, str) else packet
    if not isinstance(body, bytes) or not body.strip(b"\0 \n"):
        return None
    if len(body) > _MOST_BYTES:
        notes.append(f"its XMP data is too long to be carried over ({len(body)} bytes); left out")
        return None
    if any(name in body for name in _XMP_OF_OTHERS):
        notes.append("its XMP data is about other pictures in the file; left out")
        return None
    return _XMP_ORIENTATION.sub(rb"\g<1>1", _XMP_SIZES.sub(b"", body))
