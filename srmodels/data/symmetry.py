"""The eight symmetries of a square, as fast copies of uint8 pictures."""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

__all__ = ["turned"]

_BAND = 128  # columns; more rows of a transposed picture do not stay in the cache


def turned(crop: NDArray[np.uint8], which: int, order: Sequence[int] | None) -> NDArray[np.uint8]:
    """A copy in one of the square's eight symmetries, its colours in the given order.

    Bit 0 of `which` transposes, 1 flips rows, 2 flips columns. One channel after the other: pixels
    of three bytes are the slowest thing numpy copies, unless whole rows stay as they are.
    """
    if which in (0, 2) and order is None:
        return crop[:: -1 if which else 1].copy()
    source = crop.swapaxes(0, 1) if which & 1 else crop
    source = source[:: -1 if which & 2 else 1, :: -1 if which & 4 else 1]
    out = np.empty(crop.shape, np.uint8)
    for left in range(0, len(out), _BAND):
        band = np.s_[:, left : left + _BAND]
        for channel, taken in enumerate(order or (0, 1, 2)):
            out[band][..., channel] = source[band][..., taken]
    return out
