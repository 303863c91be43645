"""Any decoded picture to plain sRGB: colour profiles, alpha, bit depth and orientation."""

from typing import TypeVar

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageCms

from srmodels.errors import PhotoError
from srmodels.images.icc import transform_to_srgb

__all__ = [
    "Pixels",
    "apply_orientation",
    "check_alpha",
    "drop_opaque_alpha",
    "round_to_8",
    "to_srgb",
]

Value = TypeVar("Value", bound=np.generic)

_EIGHTHS = ((np.arange(1 << 16, dtype=np.uint32) * 255 + 32767) // 65535).astype(np.uint8)

_PLAIN = {"1": "L", "P": "RGB", "YCbCr": "RGB", "HSV": "RGB", "RGBX": "RGB"}


def round_to_8(values: NDArray[np.uint16], bits: int = 16) -> NDArray[np.uint8]:
    """Scales 0 .. 2^bits - 1 to 0 .. 255 and rounds to the nearest.

    Args:
        values: Any shape, uint16.
        bits: How many bits of a value are used, 9 to 16.
    """
    if bits == 16:
        return _EIGHTHS[values]
    full = (1 << bits) - 1
    table = (np.minimum(np.arange(1 << 16), full) * 255 + full // 2) // full
    return table.astype(np.uint8)[values]


def apply_orientation(pixels: NDArray[Value], orientation: int) -> NDArray[Value]:
    """Turns (H, W, ...) upright by EXIF's orientation, 1 to 8; anything else is taken as 1."""
    if orientation in (5, 6, 7, 8):
        pixels = pixels.swapaxes(0, 1)
    if orientation in (3, 4, 7, 8):
        pixels = pixels[::-1]
    if orientation in (2, 3, 6, 7):
        pixels = pixels[:, ::-1]
    return pixels


def check_alpha(alpha: NDArray[np.uint8]) -> None:
    """Refuses a picture whose alpha, 0 (clear) to 255, hides something.

    Raises:
        PhotoError: Some pixel is transparent, so what is behind it is not known.
    """
    lowest = int(alpha.min())
    if lowest < 255:
        raise PhotoError(f"is partly transparent (alpha down to {lowest} of 255); flatten it first")


def drop_opaque_alpha(image: Image.Image) -> Image.Image:
    """Drops an alpha channel, or a transparent colour, that hides nothing; see `check_alpha`."""
    if image.mode not in ("RGBA", "LA", "PA", "RGBa", "La") and "transparency" not in image.info:
        return image
    grey = image.mode in ("L", "LA", "La", "1", "I;16")
    rgba = image.convert("RGBA")
    check_alpha(np.asarray(rgba.getchannel("A")))
    return rgba.convert("RGB").getchannel(0) if grey else rgba.convert("RGB")


def _three_channels(pixels: NDArray[np.uint8]) -> NDArray[np.uint8]:
    return np.repeat(pixels[:, :, None], 3, axis=2) if pixels.ndim == 2 else pixels


def _converted(
    image: Image.Image, mode: str, transform: ImageCms.ImageCmsTransform
) -> NDArray[np.uint8]:
    wanted = transform.input_mode
    moved = ImageCms.applyTransform(
        image if image.mode == wanted else image.convert(wanted), transform
    )
    pixels = np.asarray(moved)
    return _three_channels(pixels[..., 1]) if mode == "L" else pixels


def to_srgb(
    picture: Image.Image | NDArray[np.uint8], icc: bytes | None, notes: list[str]
) -> NDArray[np.uint8]:
    """A picture of 8 bits without alpha as sRGB.

    Args:
        picture: An image of mode 1, L, P, RGB, CMYK, YCbCr, LAB or HSV; or an array, (H, W) or
            (H, W, 3), which is returned as it is where there is nothing to do.
        icc: Its colour profile; None or empty: sRGB is assumed.
        notes: Gets a sentence about what was done, for the manifest.

    Returns:
        uint8 (H, W, 3); the three channels of a grey picture are equal.
    """
    if isinstance(picture, np.ndarray):
        mode = "L" if picture.ndim == 2 else "RGB"
        transform = transform_to_srgb(icc, mode, notes)
        if transform:
            return _converted(Image.fromarray(picture), mode, transform)
        return _three_channels(picture)
    mode = _PLAIN.get(picture.mode, picture.mode)
    transform = transform_to_srgb(icc, mode, notes)
    if transform:
        return _converted(picture, mode, transform)
    if mode == "LAB":
        lab, srgb = ImageCms.createProfile("LAB"), ImageCms.createProfile("sRGB")
        picture = ImageCms.profileToProfile(picture, lab, srgb, outputMode="RGB") or picture
    wanted = "L" if mode == "L" else "RGB"
    return _three_channels(
        np.asarray(picture if picture.mode == wanted else picture.convert(wanted))
    )


Pixels = NDArray[np.uint8 | np.uint16]
