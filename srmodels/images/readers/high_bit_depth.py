"""Images of 9 to 16 bits, of which Pillow keeps the high byte only.

Pillow's unpackers for the two byte orders each take the high byte of their order, so a second pass
with the other order gives the low bytes. JPEG 2000 goes through OpenJPEG, TIFF with a plane per
colour through imageio's tifffile plugin.
"""

import sys
from collections.abc import Callable
from typing import BinaryIO

import numpy as np
import openjpeg
from imageio.v3 import imread
from numpy.typing import NDArray
from PIL import ExifTags, Image, ImageFile

from srmodels.errors import PhotoError
from srmodels.images.orientation import apply_orientation

__all__ = ["load_high_bit_depth"]

Reopen = Callable[[BinaryIO], ImageFile.ImageFile]

_BITS, _PHOTOMETRIC, _PLANAR = 258, 262, 284  # TIFF 6.0
_SWAPPED = {"B": "L", "L": "B", "N": "B" if sys.byteorder == "little" else "L"}
_CHANNELS = {"monochrome": (1,), "sRGB": (3,), "unspecified": (1, 3), "unknown": (1, 3)}


def _load_as(image: ImageFile.ImageFile, raw_mode: str) -> NDArray[np.uint8]:
    """Decodes with another raw mode than the one Pillow chose."""
    image.tile = [
        tile._replace(args=(raw_mode, *tile.args[1:]) if isinstance(tile.args, tuple) else raw_mode)
        for tile in image.tile
    ]
    return np.asarray(image)


def _load_16bit(
    image: ImageFile.ImageFile, file: BinaryIO, reopen: Reopen
) -> NDArray[np.uint16] | None:
    """Colour, or grey with alpha: (H, W, C); a TIFF is upright. None if the image has neither."""
    tags = getattr(image, "tag_v2", {})
    is_16bit = max(tags.get(_BITS, (8,))) == 16
    if is_16bit and tags.get(_PLANAR) == 2 and len(image.getbands()) > 1:
        file.seek(0)
        planes = imread(file, plugin="tifffile", index=..., page=0)  # type: ignore[arg-type]
        orientation = tags.get(ExifTags.Base.Orientation, 1)
        return np.ascontiguousarray(apply_orientation(np.moveaxis(planes, 0, -1), orientation))
    args = image.tile[0].args if image.tile else ""
    raw_mode = str(args[0] if isinstance(args, tuple) and args else args)
    if raw_mode == "LA;16B":  # as many bytes as RGBA: grey high, grey low, alpha high, alpha low
        return _load_as(image, "RGBA").view(">u2").astype(np.uint16)
    name, _, order = raw_mode.partition(";16")
    if order not in _SWAPPED or not name.startswith(("RGB", "CMYK")):
        return None
    low = _load_as(reopen(file), f"{name};16{_SWAPPED[order]}").astype(np.uint16)
    high = np.asarray(image).astype(np.uint16)
    return (high << 8 | low).astype(np.uint16, copy=False)


def _load_grey(image: Image.Image) -> tuple[NDArray[np.uint16], int]:
    tags = getattr(image, "tag_v2", {})
    values = np.asarray(image)
    if values.min() < 0 or values.max() > 65535:
        raise PhotoError(
            f"has values beyond 16 bits (got {values.min()} to {values.max()}). Export 8 or 16 bits"
        )
    bits = min(int(max(tags.get(_BITS, (16,)))), 16)
    if tags.get(_PHOTOMETRIC) == 0:  # 0 is white
        values = (1 << bits) - 1 - np.minimum(values, (1 << bits) - 1)
    return values.astype(np.uint16), bits


def _load_jpeg2000(body: bytes) -> tuple[NDArray[np.uint16], int] | None:
    info = openjpeg.get_parameters(body)
    bits, space, channels = info["precision"], info["colourspace"], info["samples_per_pixel"]
    if bits <= 8:
        return None
    if channels not in _CHANNELS.get(space, ()) or bits > 16 or info["is_signed"]:
        raise PhotoError(
            f"is JPEG 2000 of a kind that is not read (got {channels} channels of {bits} bits, "
            f"{space}). Export grey or RGB of 8 or 16 bits"
        )
    return openjpeg.decode(body), bits


def load_high_bit_depth(
    image: ImageFile.ImageFile, kind: str, file: BinaryIO, reopen: Reopen
) -> tuple[NDArray[np.uint16], int] | None:
    """Decodes values of more than 8 bits, and says how many are used; None for 8 bits.

    Takes the image of `file`, opened and not loaded, and loads it, except JPEG 2000. The values are
    (H, W) grey, (H, W, 2) grey and alpha, or (H, W, C) in the image's mode. Raises PhotoError for
    values that 16 bits do not hold.
    """
    if kind == "JPEG2000":
        file.seek(0)
        if decoded := _load_jpeg2000(file.read()):
            return decoded
    values = _load_16bit(image, file, reopen)
    image.load()
    if image.mode == "F":
        raise PhotoError("has floating-point values. Export 8 or 16 bits")
    if values is None and image.mode.startswith("I"):
        return _load_grey(image)
    return None if values is None else (values, 16)
