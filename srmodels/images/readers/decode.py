"""Decodes any photograph to upright 8-bit sRGB, or says why it cannot be used.

Missing data is always noticed, and in a PNG every changed byte. The other formats have no checksum
of their pixels: a changed byte that still decodes gives a wrong image of the right size.
"""

from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from srmodels.images.colour import check_alpha, round_to_8
from srmodels.images.colour_spaces import Hdr
from srmodels.images.limits import MAX_PIXELS
from srmodels.images.readers.dispatch import open_raster

__all__ = ["Decoded", "decode", "read"]


@dataclass(frozen=True, slots=True)
class Decoded:
    """A decoded photograph."""

    pixels: NDArray[np.uint8]  # (H, W, 3), sRGB, upright, writable
    kind: str  # the format by content: RAW, HEIF, JPEG, PNG and so on
    notes: tuple[str, ...]  # a sentence for each conversion, repair or omission


def read(
    path: Path, *, half_size: bool = False, max_pixels: int = MAX_PIXELS, hdr: Hdr = "refuse"
) -> Decoded:
    """Decodes a photograph; what is partly transparent is refused.

    Args:
        path: A file of any format.
        half_size: Camera RAW at half its size, without interpolation.
        max_pixels: Larger images are refused by their header.
        hdr: Whether a high dynamic range (PQ, HLG) is refused or tone-mapped.

    Raises:
        PhotoError: `NAME: reason`.
    """
    with open_raster(path, half_size=half_size, max_pixels=max_pixels) as raster:
        if raster.alpha is not None:
            check_alpha(raster.alpha)
        raster.to_srgb(raster.profile(), hdr=hdr)
        raster.upright()
        values = raster.values
        if values.dtype == np.uint16:
            values = round_to_8(values)  # type: ignore[arg-type]
        if values.shape[2] == 1:
            values = np.repeat(values, 3, axis=2)
        # torch wants writable memory
        pixels: NDArray[np.uint8] = np.require(values, np.uint8, ["C", "W", "O"])
    return Decoded(pixels, raster.kind, tuple(raster.notes))


def decode(
    path: Path, *, half_size: bool = False, max_pixels: int = MAX_PIXELS, hdr: Hdr = "refuse"
) -> NDArray[np.uint8]:
    """Decodes a photograph to uint8 (H, W, 3), sRGB, upright; see `read`."""
    return read(path, half_size=half_size, max_pixels=max_pixels, hdr=hdr).pixels
