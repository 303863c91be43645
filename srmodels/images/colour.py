"""Decoded images to 8-bit sRGB: bit depth, alpha and colour profiles."""

from functools import cache
from typing import TypeVar

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageCms

from srmodels.errors import PhotoError
from srmodels.images.icc import transform_to_srgb

__all__ = [
    "Pixels",
    "check_alpha",
    "drop_opaque_alpha",
    "round_to_8",
    "scale_to_16bit",
    "to_srgb",
]

Value = TypeVar("Value", bound=np.generic)
Pixels = NDArray[np.uint8 | np.uint16]

# Pillow modes that convert without a colour profile of their own
_BASE_MODES = {"1": "L", "P": "RGB", "YCbCr": "RGB", "HSV": "RGB", "RGBX": "RGB"}


@cache
def _scale_table(bits: int, dtype: type[Value]) -> NDArray[Value]:
    full, top = (1 << bits) - 1, np.iinfo(dtype).max  # type: ignore[type-var]
    return ((np.minimum(np.arange(1 << 16), full) * top + full // 2) // full).astype(dtype)


def round_to_8(values: NDArray[np.uint16], bits: int = 16) -> NDArray[np.uint8]:
    """Scales 0 .. 2^bits - 1 (9 to 16 bits) to 0 .. 255 and rounds to nearest."""
    return _scale_table(bits, np.uint8)[values]


def scale_to_16bit(values: NDArray[np.uint16], bits: int) -> NDArray[np.uint16]:
    """Scales 0 .. 2^bits - 1 to 0 .. 65535 and rounds to nearest."""
    return values if bits == 16 else _scale_table(bits, np.uint16)[values]


def check_alpha(alpha: NDArray[np.uint8]) -> None:
    """Raises PhotoError where alpha (255 opaque) is below 255, as the colour there is unknown."""
    lowest = int(alpha.min())
    if lowest < 255:
        raise PhotoError(
            f"is partly transparent (got alpha down to {lowest} of 255). Flatten it first"
        )


def drop_opaque_alpha(image: Image.Image) -> Image.Image:
    """Drops alpha, or a transparent colour; raises as `check_alpha` does."""
    if image.mode not in ("RGBA", "LA", "PA", "RGBa", "La") and "transparency" not in image.info:
        return image
    rgba = image.convert("RGBA")
    check_alpha(np.asarray(rgba.getchannel("A")))
    rgb = rgba.convert("RGB")
    return rgb.getchannel(0) if image.mode in ("L", "LA", "La", "1", "I;16") else rgb


def _grey_to_rgb(pixels: NDArray[np.uint8]) -> NDArray[np.uint8]:
    return np.repeat(pixels[:, :, None], 3, axis=2) if pixels.ndim == 2 else pixels


def _in_mode(image: Image.Image, mode: str) -> Image.Image:
    return image if image.mode == mode else image.convert(mode)


def to_srgb(
    image: Image.Image | NDArray[np.uint8], icc: bytes | None, notes: list[str]
) -> NDArray[np.uint8]:
    """Converts an 8-bit image without alpha to sRGB, uint8 (H, W, 3).

    An array is (H, W) or (H, W, 3). No profile means sRGB. `notes` gets a sentence about the
    conversion, for the manifest.
    """
    if isinstance(image, np.ndarray):
        mode = "L" if image.ndim == 2 else "RGB"
    else:
        mode = _BASE_MODES.get(image.mode, image.mode)
    transform = transform_to_srgb(icc, mode, notes)
    if transform:
        source = Image.fromarray(image) if isinstance(image, np.ndarray) else image
        source = _in_mode(source, transform.input_mode)
        pixels = np.asarray(ImageCms.applyTransform(source, transform))
        return _grey_to_rgb(pixels[..., 1]) if mode == "L" else pixels
    if isinstance(image, Image.Image):
        if mode == "LAB":
            lab, srgb = ImageCms.createProfile("LAB"), ImageCms.createProfile("sRGB")
            image = ImageCms.profileToProfile(image, lab, srgb, outputMode="RGB") or image
        image = np.asarray(_in_mode(image, "L" if mode == "L" else "RGB"))
    return _grey_to_rgb(image)
