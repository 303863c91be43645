"""AVIF by Pillow, in 8 bits; the boxes that Pillow passes over are read here.

Neither Pillow nor pillow-heif, whose wheels decode no AV1, gives 10 or 12 bits.
"""

import struct
from typing import BinaryIO

import numpy as np
from PIL import Image

from srmodels.errors import PhotoError
from srmodels.images.colour import Pixels
from srmodels.images.colour_spaces import ColourSpace, from_cicp
from srmodels.images.limits import check_size
from srmodels.images.readers.av1 import cicp_of_av1
from srmodels.images.readers.boxes import Item, primary_item, with_brand
from srmodels.images.readers.raster import Raster, exif_loader, no_exif, split_alpha

__all__ = ["read_avif"]


def _bits(item: Item) -> int:
    """Bits of a sample, from av1C (AV1 in ISOBMFF, section 2.3) or pixi."""
    if config := item.content(b"av1C"):
        return (12 if config[2] & 32 else 10) if config[2] & 64 else 8
    sizes = item.content(b"pixi")
    return max(sizes[5:], default=8)


def _space(item: Item, body: bytes) -> ColourSpace | None:
    """From the box colr of type nclx, which for a sequence is deeper inside, or from AV1 itself."""
    colour = next((c for kind, c in item.properties if kind == b"colr" and c[:4] == b"nclx"), b"")
    if not colour and not item.properties and (at := body.find(b"colrnclx")) >= 0:
        colour = body[at + 4 : at + 15]
    if len(colour) >= 8:
        return from_cicp(*struct.unpack_from(">HH", colour, 4))
    codes = cicp_of_av1(item.content(b"av1C"))
    return from_cicp(*codes) if codes else None


def _crop(pixels: Pixels, clap: bytes) -> Pixels:
    """The clean aperture (ISO/IEC 14496-12, section 12.1.4), in whole pixels."""
    numbers = struct.unpack_from(">LLLLlLlL", clap)
    if 0 in numbers[1::2]:
        raise PhotoError("is damaged (its crop)")
    width, height, right, down = (
        above / below for above, below in zip(numbers[::2], numbers[1::2], strict=True)
    )
    left = (pixels.shape[1] - 1) / 2 + right - (width - 1) / 2
    top = (pixels.shape[0] - 1) / 2 + down - (height - 1) / 2
    x, y, w, h = (round(value) for value in (left, top, width, height))
    inside = x >= 0 and y >= 0 and x + w <= pixels.shape[1] and y + h <= pixels.shape[0]
    if not inside or w < 1 or h < 1:
        raise PhotoError("is damaged (its crop)")
    return pixels[y : y + h, x : x + w]


def _transform(pixels: Pixels, item: Item) -> Pixels:
    """Crop, rotation and mirror, in their order (ISO/IEC 23008-12, sections 6.5.9 to 6.5.12)."""
    for kind, body in item.properties:
        if kind == b"clap":
            pixels = _crop(pixels, body)
        elif kind == b"irot" and body:
            pixels = np.rot90(pixels, body[0] & 3)
        elif kind == b"imir" and body:
            pixels = pixels[:, ::-1] if body[0] & 1 else pixels[::-1]
    return pixels


def read_avif(file: BinaryIO, *, max_pixels: int, notes: list[str]) -> Raster:
    """Reads the primary image, or the first of a sequence; an EXIF orientation does not count."""
    item = primary_item(file)
    if len(size := item.content(b"ispe")) >= 12:  # libavif has a limit of its own, and no reason
        width, height = struct.unpack_from(">LL", size, 4)
        check_size(width, height, max_pixels)
    known = with_brand(file, b"avif", (b"avif", b"avis", b"mif1", b"msf1"))
    with Image.open(known, formats=("AVIF",)) as image:
        check_size(image.width, image.height, max_pixels)
        frames = getattr(image, "n_frames", 1)
        if frames > 1:
            notes.append(f"the first of {frames} pictures")
        pixels = np.asarray(image)
        info = image.info
    if (bits := _bits(item)) > 8:
        notes.append(f"has {bits} bits, of which 8 are read")
    file.seek(0)
    icc = info.get("icc_profile")
    space = None if icc else _space(item, file.read())
    values, alpha = split_alpha(_transform(pixels, item))
    return Raster(
        values=values,
        kind="AVIF",
        alpha=alpha,
        icc=icc,
        space=space,
        load_exif=exif_loader(info["exif"]) if info.get("exif") else no_exif,
        xmp=info.get("xmp"),
        notes=notes,
    )
