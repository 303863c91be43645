"""A picture with all that belongs to it, for whoever enlarges it: nothing reduced to 8-bit sRGB.

`decode` gives what training needs; this gives 16 bits where there are 16, grey where there is grey,
alpha apart, the colours in their own space with its profile, and the metadata.
"""

from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import BinaryIO

import numpy as np

from srmodels.images.colour import Pixels, apply_orientation
from srmodels.images.limits import MAX_PIXELS
from srmodels.images.metadata import Metadata, exif_of, exif_of_raw, xmp_of
from srmodels.images.readers.channels import Channels, from_array, scale_to_16bit, split_channels
from srmodels.images.readers.dispatch import Readers, read_with
from srmodels.images.readers.heif import primary_picture
from srmodels.images.readers.pillow import opened, orientation_of
from srmodels.images.readers.raw import develop

__all__ = ["SourceImage", "read_image"]


@dataclass(frozen=True, slots=True)
class SourceImage:
    """A picture and what its file says of it.

    Attributes:
        colour: (H, W, 1) grey or (H, W, 3) RGB, uint8 or uint16, upright, in the space of
            `metadata.icc` (sRGB where that is None).
        alpha: (H, W) of the same kind, 0 clear; None: opaque.
        metadata: For a copy of another size.
        kind: RAW, HEIF, JPEG, PNG and so on: by content.
        notes: What was done to it or left out, a sentence each.
    """

    colour: Pixels
    alpha: Pixels | None
    metadata: Metadata
    kind: str
    notes: tuple[str, ...]


_Read = tuple[Channels, Metadata]


def _dpi(found: object) -> tuple[float, float] | None:
    """Pixels an inch, if a file's word for it makes sense."""
    try:
        across, down = (float(value) for value in found)  # type: ignore[attr-defined]
    except (TypeError, ValueError, ZeroDivisionError):
        return None
    return (across, down) if 1 <= across <= 100_000 and 1 <= down <= 100_000 else None


def _bitmap(file: BinaryIO, *, max_pixels: int, notes: list[str]) -> tuple[_Read, str]:
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


def _heif(path: Path, *, max_pixels: int, notes: list[str]) -> _Read:
    values, info = primary_picture(path, max_pixels=max_pixels, notes=notes)
    if values.dtype == np.uint16:
        bits = info["bit_depth"]
        values = scale_to_16bit(values >> (16 - bits), bits)
    layers = from_array(values, info.get("icc_profile"), notes)
    exif = info.get("exif")
    return layers, Metadata(
        icc=layers.icc,
        exif=exif_of(exif, notes) if exif else None,
        xmp=xmp_of(info.get("xmp"), notes),
    )


def _raw(path: Path, *, max_pixels: int) -> _Read:
    colour = develop(path, half_size=False, max_pixels=max_pixels)
    return Channels(colour, None, None), Metadata(exif=exif_of_raw(path))


def read_image(path: Path, *, max_pixels: int = MAX_PIXELS) -> SourceImage:
    """Reads a picture of any kind.

    Args:
        path: The file; its content decides how it is read.
        max_pixels: Larger pictures are refused on the header's word.

    Raises:
        PhotoError: `NAME: reason`.
    """
    notes: list[str] = []
    readers = Readers(
        bitmap=partial(_bitmap, max_pixels=max_pixels, notes=notes),
        heif=partial(_heif, max_pixels=max_pixels, notes=notes),
        raw=partial(_raw, max_pixels=max_pixels),
    )
    (layers, metadata), kind = read_with(readers, path, notes)
    return SourceImage(layers.colour, layers.alpha, metadata, kind, tuple(notes))
