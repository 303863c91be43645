"""Reads an image for upscaling: bit depth, grey, alpha, colour space and metadata as stored."""

from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import BinaryIO

import numpy as np

from srmodels.images.colour import Pixels, scale_to_16bit
from srmodels.images.limits import MAX_PIXELS
from srmodels.images.metadata import Metadata, exif_of, exif_of_raw, xmp_of
from srmodels.images.orientation import apply_orientation
from srmodels.images.readers.channels import Channels, from_array, split_channels
from srmodels.images.readers.dispatch import read_with
from srmodels.images.readers.heif import primary_image
from srmodels.images.readers.pillow import opened, orientation_of
from srmodels.images.readers.raw import develop

__all__ = ["SourceImage", "read_image"]


@dataclass(frozen=True, slots=True)
class SourceImage:
    """An image and its metadata."""

    colour: Pixels  # (H, W, 1) grey or (H, W, 3) RGB, uint8 or uint16, upright, in metadata.icc
    alpha: Pixels | None  # (H, W), the same type, 0 transparent; None: opaque
    metadata: Metadata  # for a copy of another size
    kind: str  # the format by content: RAW, HEIF, JPEG, PNG and so on
    notes: tuple[str, ...]  # a sentence for each conversion, repair or omission


def _dpi(value: object) -> tuple[float, float] | None:
    """Pixels per inch, if the file's values are plausible."""
    try:
        across, down = (float(number) for number in value)  # type: ignore[attr-defined]
    except (TypeError, ValueError, ZeroDivisionError):
        return None
    return (across, down) if 1 <= across <= 100_000 and 1 <= down <= 100_000 else None


def _bitmap(
    file: BinaryIO, *, max_pixels: int, notes: list[str]
) -> tuple[tuple[Channels, Metadata], str]:
    with opened(file, max_pixels=max_pixels, notes=notes) as (image, kind):
        colour, alpha, icc = split_channels(image, kind, file, notes)
        try:
            orientation = orientation_of(image)
        except Exception:  # noqa: BLE001 - damaged EXIF makes Pillow raise anything
            orientation = 1
        metadata = Metadata(
            icc=icc,
            exif=exif_of(image, notes),
            xmp=xmp_of(image.info.get("xmp"), notes),
            dpi=_dpi(image.info.get("dpi")),
        )
    colour = apply_orientation(colour, orientation)
    alpha = None if alpha is None else apply_orientation(alpha, orientation)
    return (Channels(colour, alpha, icc), metadata), kind


def _heif(path: Path, *, max_pixels: int, notes: list[str]) -> tuple[Channels, Metadata]:
    values, info = primary_image(path, max_pixels=max_pixels, notes=notes)
    if values.dtype == np.uint16:
        bits = info["bit_depth"]
        values = scale_to_16bit(values >> (16 - bits), bits)
    channels = from_array(values, info.get("icc_profile"), notes)
    exif = exif_of(info["exif"], notes) if info.get("exif") else None
    return channels, Metadata(icc=channels.icc, exif=exif, xmp=xmp_of(info.get("xmp"), notes))


def _raw(path: Path, *, max_pixels: int) -> tuple[Channels, Metadata]:
    colour = develop(path, half_size=False, max_pixels=max_pixels)
    return Channels(colour, None, None), Metadata(exif=exif_of_raw(path))


def read_image(path: Path, *, max_pixels: int = MAX_PIXELS) -> SourceImage:
    """Reads an image of any format, at most `max_pixels` large; raises PhotoError."""
    notes: list[str] = []
    (channels, metadata), kind = read_with(
        path,
        notes,
        bitmap=partial(_bitmap, max_pixels=max_pixels, notes=notes),
        heif=partial(_heif, max_pixels=max_pixels, notes=notes),
        raw=partial(_raw, max_pixels=max_pixels),
    )
    return SourceImage(channels.colour, channels.alpha, metadata, kind, tuple(notes))
