"""Colour profiles: which transform, if any, takes a picture's colours to sRGB."""

import io

import numpy as np
from PIL import Image, ImageCms

__all__ = ["transform_to_srgb", "usable_icc"]

_SAME = 2  # of 255: a profile that moves no colour further than this is sRGB
_MODES = {"RGB": "RGB", "GRAY": "L", "CMYK": "CMYK", "Lab": "LAB"}


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


def _to_srgb(profile: ImageCms.ImageCmsProfile, mode: str) -> ImageCms.ImageCmsTransform:
    return ImageCms.buildTransform(
        profile,
        ImageCms.createProfile("sRGB"),
        mode,
        "RGB",
        ImageCms.Intent.RELATIVE_COLORIMETRIC,
        ImageCms.Flags.BLACKPOINTCOMPENSATION,
    )


def usable_icc(icc: bytes | None, mode: str, notes: list[str]) -> tuple[bytes | None, str]:
    """The profile that a picture may keep beside unchanged values.

    Args:
        icc: Its own; None or empty: none.
        mode: "L" or "RGB".
        notes: Gets a sentence where it is left out.

    Returns:
        The profile, or None; and the mode it is for, which of a grey picture may be "RGB".
    """
    profile = _profile_of(icc, notes) if icc else None
    if profile is None:
        return None, mode
    space = profile.profile.xcolor_space.strip()
    meant = _MODES.get(space)
    if meant != mode and (meant, mode) != ("RGB", "L"):
        notes.append(f"its colour profile is for {space}, not for {mode}; left out")
        return None, mode
    try:
        moves = meant == "L" or _moves_colours(_to_srgb(profile, "RGB"))
    except ImageCms.PyCMSError:
        notes.append("its colour profile cannot be used; left out")
        return None, mode
    if meant != mode:  # common: grey marked as sRGB
        return (icc, "RGB") if moves else (None, "L")
    return icc, mode


def transform_to_srgb(
    icc: bytes | None, mode: str, notes: list[str]
) -> ImageCms.ImageCmsTransform | None:
    """The way from a profile to sRGB; None where there is nothing to convert.

    Args:
        icc: The profile; None or empty: sRGB is assumed.
        mode: The picture's, as Pillow names it. Grey with a profile for RGB gets a transform that
            wants RGB: see its `input_mode`.
        notes: Gets a sentence about what is done, for the manifest.
    """
    profile = _profile_of(icc, notes) if icc else None
    if profile is None:
        return None
    space = profile.profile.xcolor_space.strip()
    wanted = "RGB" if space == "RGB" and mode == "L" else mode
    if _MODES.get(space) != wanted:
        notes.append(f"its colour profile is for {space}, not for {mode}; taken as sRGB")
        return None
    transform = _to_srgb(profile, wanted)
    if wanted == "RGB" and not _moves_colours(transform):
        return None
    name = ImageCms.getProfileDescription(profile).strip()
    notes.append(f"converted from {name or space} to sRGB")
    return transform
