"""ICC profiles: the transform from an image's colours to sRGB, or None if there is none to do."""

import io

import numpy as np
from PIL import Image, ImageCms

__all__ = ["transform_to_srgb", "usable_icc"]

_SAME = 2  # of 255: a profile that moves no colour further than this is sRGB
_MODES = {"RGB": "RGB", "GRAY": "L", "CMYK": "CMYK", "Lab": "LAB"}


def _parse(icc: bytes | None, notes: list[str]) -> ImageCms.ImageCmsProfile | None:
    try:
        return ImageCms.ImageCmsProfile(io.BytesIO(icc)) if icc else None
    except (ImageCms.PyCMSError, OSError):
        notes.append("its colour profile cannot be read; taken as sRGB")
        return None


def _changes_colours(transform: ImageCms.ImageCmsTransform) -> bool:
    steps = np.linspace(0, 255, 17).round().astype(np.uint8)
    grid = np.stack(np.meshgrid(steps, steps, steps, indexing="ij"), axis=-1).reshape(-1, 17, 3)
    converted = np.asarray(ImageCms.applyTransform(Image.fromarray(grid), transform), np.int16)
    return bool(np.abs(converted - grid).max() > _SAME)


def _build_transform(profile: ImageCms.ImageCmsProfile, mode: str) -> ImageCms.ImageCmsTransform:
    srgb, intent = ImageCms.createProfile("sRGB"), ImageCms.Intent.RELATIVE_COLORIMETRIC
    flags = ImageCms.Flags.BLACKPOINTCOMPENSATION
    return ImageCms.buildTransform(profile, srgb, mode, "RGB", intent, flags)


def usable_icc(icc: bytes | None, mode: str, notes: list[str]) -> tuple[bytes | None, str]:
    """The profile that may stand beside unchanged values of mode L or RGB, and its mode.

    The mode is "RGB" for a grey image with an RGB profile. Notes why a profile is left out.
    """
    profile = _parse(icc, notes)
    if profile is None:
        return None, mode
    space = profile.profile.xcolor_space.strip()
    profile_mode = _MODES.get(space)
    if profile_mode != mode and (profile_mode, mode) != ("RGB", "L"):
        notes.append(f"its colour profile is for {space}, not for {mode}; left out")
        return None, mode
    try:
        needed = profile_mode == "L" or _changes_colours(_build_transform(profile, "RGB"))
    except ImageCms.PyCMSError:
        notes.append("its colour profile cannot be used; left out")
        return None, mode
    if profile_mode != mode:  # common: a grey image marked as sRGB
        return (icc, "RGB") if needed else (None, "L")
    return icc, mode


def transform_to_srgb(
    icc: bytes | None, mode: str, notes: list[str]
) -> ImageCms.ImageCmsTransform | None:
    """The transform to sRGB for an image of a Pillow mode; None if there is nothing to convert.

    An L image with an RGB profile gets a transform whose `input_mode` is RGB. `notes` gets a
    sentence for the manifest.
    """
    profile = _parse(icc, notes)
    if profile is None:
        return None
    space = profile.profile.xcolor_space.strip()
    input_mode = "RGB" if space == "RGB" and mode == "L" else mode
    if _MODES.get(space) != input_mode:
        notes.append(f"its colour profile is for {space}, not for {mode}; taken as sRGB")
        return None
    transform = _build_transform(profile, input_mode)
    if input_mode == "RGB" and not _changes_colours(transform):
        return None
    name = ImageCms.getProfileDescription(profile).strip()
    notes.append(f"converted from {name or space} to sRGB")
    return transform
