"""A bitmap's colour and alpha as the file has them: 8 or 16 bits, grey or RGB, values unchanged.

Only colours that are neither grey nor RGB (CMYK, LAB, YCbCr) become sRGB, through their profile.
"""

from typing import BinaryIO, NamedTuple

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageFile

from srmodels.errors import PhotoError
from srmodels.images.colour import Pixels, to_srgb
from srmodels.images.icc import usable_icc
from srmodels.images.readers.high_bit_depth import (
    is_inverted,
    load_16bit,
    load_16bit_grey,
    load_16bit_jpeg2000,
)
from srmodels.images.readers.pillow import open_bitmap, read_jpeg_picture
from srmodels.images.readers.png import check_png, check_rows

__all__ = ["Channels", "from_array", "scale_to_16bit", "split_channels"]

_WITH_ALPHA = ("RGBA", "LA", "PA", "RGBa", "La")

_GREY = ("1", "L", "LA", "La")


class Channels(NamedTuple):
    """The parts of a picture.

    Attributes:
        colour: (H, W, 1) grey or (H, W, 3) RGB, uint8 or uint16.
        alpha: (H, W) of the same kind, or None.
        icc: The profile of the colour's values; None: sRGB.
    """

    colour: Pixels
    alpha: Pixels | None
    icc: bytes | None


def scale_to_16bit(values: NDArray[np.uint16], bits: int) -> NDArray[np.uint16]:
    """0 .. 2^bits - 1 to 0 .. 65535, rounded."""
    if bits == 16:
        return values
    full = (1 << bits) - 1
    table = (np.minimum(np.arange(1 << 16), full) * 65535 + full // 2) // full
    return table.astype(np.uint16)[values]


def from_array(
    values: Pixels, icc: bytes | None, notes: list[str], *, clear: object = None
) -> Channels:
    """Parts an array.

    Args:
        values: (H, W), (H, W, 1), (H, W, 2) with alpha, (H, W, 3), or (H, W, 4) with alpha.
        icc: Its profile.
        notes: Gets a sentence where the profile is left out.
        clear: The grey or the colour that is marked as transparent.
    """
    values = values[..., None] if values.ndim == 2 else values
    channels = 1 if values.shape[2] < 3 else 3
    colour = values[..., :channels]
    alpha = values[..., -1] if values.shape[2] in (2, 4) else None
    if clear is not None:
        seen = (colour != clear).any(axis=-1)
        alpha = np.where(seen, np.iinfo(values.dtype).max, 0).astype(values.dtype)
    icc, mode = usable_icc(icc, "L" if channels == 1 else "RGB", notes)
    if mode == "RGB" and channels == 1:
        colour = np.repeat(colour, 3, axis=2)
    return Channels(colour, alpha, icc)


def _from_image(image: Image.Image, icc: bytes | None, notes: list[str]) -> Channels:
    """Parts a picture of 8 bits."""
    if image.mode in _WITH_ALPHA or "transparency" in image.info:
        rgba = np.asarray(image.convert("RGBA"))
        return from_array(rgba[..., 2:] if image.mode in _GREY else rgba, icc, notes)
    if image.mode in ("L", "RGB"):
        return from_array(np.asarray(image), icc, notes)
    if image.mode in ("1", "P", "RGBX"):
        plain = image.convert("L" if image.mode == "1" else "RGB")
        return from_array(np.asarray(plain), icc, notes)
    return Channels(to_srgb(image, icc, notes), None, None)


def _from_16bit(image: ImageFile.ImageFile, kind: str, file: BinaryIO) -> NDArray[np.uint16] | None:
    """Colour of 16 bits, or grey with alpha; loads the picture."""
    if kind == "JPEG2000":
        file.seek(0)
        found = load_16bit_jpeg2000(file.read())
        image.load()
        return None if found is None else scale_to_16bit(*found)
    values = load_16bit(image, file, lambda: open_bitmap(file))
    image.load()
    return values[..., :3] if image.mode == "RGBX" and values is not None else values


def split_channels(
    image: ImageFile.ImageFile, kind: str, file: BinaryIO, notes: list[str]
) -> Channels:
    """Decodes a picture.

    Args:
        image: Opened and not loaded; is loaded, except a JPEG.
        kind: The name of its format.
        file: Whence it comes.
        notes: Gets a sentence about each thing that was done.

    Returns:
        Its parts, not yet turned by its orientation (see `bitmap.orientation_of`).

    Raises:
        PhotoError: It is damaged, or has values that 16 bits do not hold.
    """
    icc = image.info.get("icc_profile")
    if kind == "JPEG":
        picture = read_jpeg_picture(image, file, notes)
        if isinstance(picture, np.ndarray):
            return from_array(picture, icc, notes)
        return _from_image(picture, icc, notes)
    if kind == "PNG":
        file.seek(0)
        body = file.read()
        check_png(body)
        check_rows(body)
        del body
    clear = image.info.get("transparency")
    values = _from_16bit(image, kind, file)
    if image.mode == "F":
        raise PhotoError("has floating-point values; export 8 or 16 bits")
    if values is not None and image.mode not in ("CMYK", "RGBa"):
        return from_array(values, icc, notes, clear=clear)
    if image.mode.startswith("I"):
        grey, bits = load_16bit_grey(image)
        layers = from_array(scale_to_16bit(grey, bits), icc, notes, clear=clear)
        return layers._replace(colour=65535 - layers.colour) if is_inverted(image) else layers
    return _from_image(image, icc, notes)
