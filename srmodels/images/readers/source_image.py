"""Reads an image for upscaling: bit depth, grey, alpha, colour space and metadata as stored."""

from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np

from srmodels.images.colour import Pixels
from srmodels.images.file_types import Kind
from srmodels.images.limits import MAX_PIXELS
from srmodels.images.metadata import Metadata, metadata_of
from srmodels.images.readers.dispatch import open_raster
from srmodels.images.readers.raster import Raster

__all__ = ["SourceImage", "read_image"]


@dataclass(frozen=True, slots=True)
class SourceImage:
    """An image and its metadata."""

    colour: Pixels  # (H, W, 1) grey or (H, W, 3) RGB, uint8 or uint16, upright, in metadata.icc
    alpha: Pixels | None  # (H, W), the same type, 0 transparent; None: opaque
    metadata: Metadata  # for a copy of another size
    kind: Kind  # the format by content: RAW, HEIF, JPEG, PNG and so on
    notes: tuple[str, ...]  # a sentence for each conversion, repair or omission

    def without_profile(self) -> "SourceImage":
        """The same in sRGB, for a format that cannot keep the profile."""
        raster = Raster(values=self.colour, kind=self.kind, icc=self.metadata.icc)
        raster.to_srgb(raster.profile(), hdr="tonemap")
        return replace(
            self,
            colour=raster.values,
            metadata=replace(self.metadata, icc=None),
            notes=(*self.notes, *raster.notes),
        )


def _keep_profile(raster: Raster) -> bytes | None:
    """The profile that stands beside unchanged values; other colours become sRGB."""
    profile, icc = raster.profile(), raster.icc
    if profile is None or profile.mode == "CMYK" or profile.hdr_space:
        raster.to_srgb(profile, hdr="tonemap")
        return None
    if profile.mode != raster.mode:  # common: a grey image marked as sRGB
        if profile.is_srgb:
            return None
        raster.values = np.repeat(raster.values, 3, axis=2)
    return icc


def read_image(path: Path, *, max_pixels: int = MAX_PIXELS) -> SourceImage:
    """Reads an image of any format, at most `max_pixels` large; raises PhotoError.

    CMYK, Lab and a high dynamic range become sRGB, as do colours that no profile describes.
    """
    with open_raster(path, max_pixels=max_pixels) as raster:
        icc = _keep_profile(raster)
        raster.upright()
        metadata = metadata_of(
            raster.load_exif, raster.xmp, raster.dpi, icc=icc, notes=raster.notes
        )
    return SourceImage(raster.values, raster.alpha, metadata, raster.kind, tuple(raster.notes))
