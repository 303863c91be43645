"""Colour and alpha as stored: 8 or 16 bits, grey or RGB. CMYK, LAB and YCbCr become sRGB."""

from typing import BinaryIO, NamedTuple

import numpy as np
from PIL import Image, ImageFile

from srmodels.images.colour import Pixels, scale_to_16bit, to_srgb
from srmodels.images.icc import usable_icc
from srmodels.images.readers.high_bit_depth import load_high_bit_depth
from srmodels.images.readers.pillow import load_jpeg, open_bitmap
from srmodels.images.readers.png import check_png, check_rows

__all__ = ["Channels", "from_array", "split_channels"]


class Channels(NamedTuple):
    """An image's colour and alpha, uint8 or uint16."""

    colour: Pixels  # (H, W, 1) grey or (H, W, 3) RGB
    alpha: Pixels | None  # (H, W), the same type
    icc: bytes | None  # None: sRGB


def from_array(
    values: Pixels, icc: bytes | None, notes: list[str], *, clear: object = None
) -> Channels:
    """Splits (H, W), or (H, W, C): grey, grey and alpha, RGB or RGBA; `clear` is transparent."""
    values = values[..., None] if values.ndim == 2 else values
    channels = 1 if values.shape[2] < 3 else 3
    colour = values[..., :channels]
    alpha = values[..., -1] if values.shape[2] in (2, 4) else None
    if clear is not None:
        opaque = (colour != clear).any(axis=-1)
        alpha = np.where(opaque, np.iinfo(values.dtype).max, 0).astype(values.dtype)
    icc, mode = usable_icc(icc, "L" if channels == 1 else "RGB", notes)
    if mode == "RGB" and channels == 1:
        colour = np.repeat(colour, 3, axis=2)
    return Channels(colour, alpha, icc)


def _from_8bit(image: Image.Image, icc: bytes | None, notes: list[str]) -> Channels:
    if image.mode in ("RGBA", "LA", "PA", "RGBa", "La") or "transparency" in image.info:
        rgba = np.asarray(image.convert("RGBA"))
        grey = image.mode in ("1", "L", "LA", "La")
        return from_array(rgba[..., 2:] if grey else rgba, icc, notes)
    if image.mode in ("1", "P", "RGBX"):
        image = image.convert("L" if image.mode == "1" else "RGB")
    if image.mode in ("L", "RGB"):
        return from_array(np.asarray(image), icc, notes)
    return Channels(to_srgb(image, icc, notes), None, None)


def split_channels(
    image: ImageFile.ImageFile, kind: str, file: BinaryIO, notes: list[str]
) -> Channels:
    """Decodes an image, checks it for damage and splits its channels, not yet turned upright.

    Takes the image of `file`, not yet loaded, and the name of its format. Raises PhotoError.
    """
    icc, clear = image.info.get("icc_profile"), image.info.get("transparency")
    if kind == "JPEG":
        decoded = load_jpeg(image, file, notes)
        if isinstance(decoded, np.ndarray):
            return from_array(decoded, icc, notes)
        return _from_8bit(decoded, icc, notes)
    if kind == "PNG":
        file.seek(0)
        body = file.read()
        check_png(body)
        check_rows(body)
        del body
    values_and_bits = load_high_bit_depth(image, kind, file, open_bitmap)
    image.load()
    if values_and_bits is None or image.mode in ("CMYK", "RGBa"):
        return _from_8bit(image, icc, notes)
    values = scale_to_16bit(*values_and_bits)
    return from_array(values[..., :3] if image.mode == "RGBX" else values, icc, notes, clear=clear)
