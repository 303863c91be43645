"""Any decoded picture to plain sRGB: colour profiles, alpha, bit depth and orientation."""

import io

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageCms

from srmodels.errors import PhotoError

__all__ = ["opaque", "orient", "round_to_8", "to_srgb"]

_EIGHTHS = ((np.arange(1 << 16, dtype=np.uint32) * 255 + 32767) // 65535).astype(np.uint8)
_SAME = 2  # of 255: a profile that moves no colour further than this is sRGB


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


def orient(pixels: NDArray[np.uint8], orientation: int) -> NDArray[np.uint8]:
    """Turns (H, W, ...) upright by EXIF's orientation, 1 to 8; anything else is taken as 1."""
    if orientation in (5, 6, 7, 8):
        pixels = pixels.swapaxes(0, 1)
    if orientation in (3, 4, 7, 8):
        pixels = pixels[::-1]
    if orientation in (2, 3, 6, 7):
        pixels = pixels[:, ::-1]
    return pixels


def opaque(image: Image.Image) -> Image.Image:
    """Drops an alpha channel, or a transparent colour, that hides nothing.

    Raises:
        PhotoError: Some pixel is transparent, so what is behind it is not known.
    """
    if image.mode not in ("RGBA", "LA", "PA", "RGBa", "La") and "transparency" not in image.info:
        return image
    grey = image.mode in ("L", "LA", "La", "1", "I;16")
    rgba = image.convert("RGBA")
    lowest = int(np.asarray(rgba.getchannel("A")).min())
    if lowest < 255:
        raise PhotoError(f"is partly transparent (alpha down to {lowest} of 255); flatten it first")
    return rgba.convert("RGB").getchannel(0) if grey else rgba.convert("RGB")


def _profile_of(icc: bytes, notes: list[str]) -> ImageCms.ImageCmsProfile | None:
    try:
        return ImageCms.ImageCmsProfile(io.BytesIO(icc))
    except (ImageCms.PyCMSError, OSError):
        notes.append("its colour profile cannot be read; taken as sRGB")
        return None


def _moves_colours(transform: ImageCms.ImageCmsTransform) -> bool:
    steps = np.linspace(0, 255, 17).round().astype(np.uint8)
    grid = np.stack(np.meshgrid(steps, steps, steps, indexing="ij"), axis=-1).reshape(-1, 17, 3)
    moved = np.asarray(ImageCms.applyTransform(Image.fromarray(grid), transform), np.int16)
    return bool(np.abs(moved - grid).max() > _SAME)


def _by_profile(image: Image.Image, icc: bytes, notes: list[str]) -> Image.Image | None:
    """Converts by the profile; None where there is nothing to convert."""
    profile = _profile_of(icc, notes)
    if profile is None:
        return None
    space = profile.profile.xcolor_space.strip()
    if space == "RGB" and image.mode == "L":
        image = image.convert("RGB")
    wanted = {"RGB": "RGB", "GRAY": "L", "CMYK": "CMYK", "Lab": "LAB"}.get(space)
    if image.mode != wanted:
        notes.append(f"its colour profile is for {space}, not for {image.mode}; taken as sRGB")
        return None
    transform = ImageCms.buildTransform(
        profile,
        ImageCms.createProfile("sRGB"),
        image.mode,
        "RGB",
        ImageCms.Intent.RELATIVE_COLORIMETRIC,
        ImageCms.Flags.BLACKPOINTCOMPENSATION,
    )
    if wanted == "RGB" and not _moves_colours(transform):
        return None
    name = ImageCms.getProfileDescription(profile).strip()
    notes.append(f"converted from {name or space} to sRGB")
    converted = ImageCms.applyTransform(image, transform)
    assert converted is not None, "not in place, so there is a picture"
    return converted


def to_srgb(image: Image.Image, icc: bytes | None, notes: list[str]) -> NDArray[np.uint8]:
    """A picture of 8 bits without alpha as sRGB.

    Args:
        image: Mode 1, L, P, RGB, CMYK, YCbCr, LAB or HSV.
        icc: Its colour profile; None or empty: sRGB is assumed.
        notes: Gets a sentence about what was done, for the manifest.

    Returns:
        uint8 (H, W, 3); the three channels of a grey picture are equal.
    """
    if image.mode in ("1", "L"):
        grey = image.convert("L")
        converted = _by_profile(grey, icc, notes) if icc else None
        plane = np.asarray(grey if converted is None else converted.getchannel(1))
        return np.repeat(plane[:, :, None], 3, axis=2)
    if image.mode in ("P", "YCbCr", "HSV", "RGBX"):
        image = image.convert("RGB")
    converted = _by_profile(image, icc, notes) if icc else None
    if converted is None and image.mode == "LAB":
        converted = ImageCms.profileToProfile(
            image, ImageCms.createProfile("LAB"), ImageCms.createProfile("sRGB"), outputMode="RGB"
        )
    return np.asarray((converted or image).convert("RGB"))
