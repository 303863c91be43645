"""Decodes any photograph to upright 8-bit sRGB, or says why it cannot be used.

Missing data is always noticed, and in a PNG every changed byte. The other formats have no checksum
of their pixels: a changed byte that still decodes gives a wrong image of the right size.
"""

from dataclasses import dataclass
from functools import partial
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from srmodels.images.limits import MAX_PIXELS
from srmodels.images.readers.dispatch import read_with
from srmodels.images.readers.heif import read_heif
from srmodels.images.readers.pillow import read_bitmap
from srmodels.images.readers.raw import read_raw

__all__ = ["Decoded", "decode", "read"]


@dataclass(frozen=True, slots=True)
class Decoded:
    """A decoded photograph."""

    pixels: NDArray[np.uint8]  # (H, W, 3), sRGB, upright, writable
    kind: str  # the format by content: RAW, HEIF, JPEG, PNG and so on
    notes: tuple[str, ...]  # a sentence for each conversion, repair or omission


def read(path: Path, *, half_size: bool = False, max_pixels: int = MAX_PIXELS) -> Decoded:
    """Decodes a photograph.

    Args:
        path: A file of any format.
        half_size: Camera RAW at half its size, without interpolation.
        max_pixels: Larger images are refused by their header.

    Raises:
        PhotoError: `NAME: reason`.
    """
    notes: list[str] = []
    pixels, kind = read_with(
        path,
        notes,
        bitmap=partial(read_bitmap, max_pixels=max_pixels, notes=notes),
        heif=partial(read_heif, max_pixels=max_pixels, notes=notes),
        raw=partial(read_raw, half_size=half_size, max_pixels=max_pixels),
    )
    # torch wants writable memory
    return Decoded(np.require(pixels, requirements=["C", "W", "O"]), kind, tuple(notes))


def decode(
    path: Path, *, half_size: bool = False, max_pixels: int = MAX_PIXELS
) -> NDArray[np.uint8]:
    """Decodes a photograph to uint8 (H, W, 3), sRGB, upright; see `read`."""
    return read(path, half_size=half_size, max_pixels=max_pixels).pixels
