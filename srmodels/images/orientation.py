"""EXIF orientation: which way up an image is."""

from typing import TypeVar

import numpy as np
from numpy.typing import NDArray

__all__ = ["apply_orientation"]

Value = TypeVar("Value", bound=np.generic)


def apply_orientation(pixels: NDArray[Value], orientation: int) -> NDArray[Value]:
    """Turns (H, W, ...) upright by EXIF orientation 1 to 8; other values change nothing."""
    if orientation in (5, 6, 7, 8):
        pixels = pixels.swapaxes(0, 1)
    if orientation in (3, 4, 7, 8):
        pixels = pixels[::-1]
    if orientation in (2, 3, 6, 7):
        pixels = pixels[:, ::-1]
    return pixels
