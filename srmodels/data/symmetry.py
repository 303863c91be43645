"""The eight symmetries of a square, as fast copies of uint8 pictures into float32 ones."""

from collections.abc import Callable, Sequence
from functools import cache

import numba
import numpy as np
from numpy.typing import NDArray

__all__ = ["paint"]

Kernel = Callable[
    [NDArray[np.float32], NDArray[np.uint8], tuple[int, int, int], NDArray[np.float32]], None
]
_LEVELS = np.arange(256, dtype=np.float32) / np.float32(255)


@cache
def _kernel() -> Kernel:
    """Compiled at its first use, in a second or two, and kept on disk.

    numpy needs a pass for each of turning, exchanging colours and dividing, and pixels of three
    bytes are the slowest thing it copies.
    """
    pictures = numba.types.Array(numba.uint8, 3, "A", readonly=True)
    order = numba.types.UniTuple(numba.int64, 3)
    signature = numba.void(numba.float32[:, :, ::1], pictures, order, numba.float32[::1])

    def copy(
        out: NDArray[np.float32],
        picture: NDArray[np.uint8],
        order: tuple[int, int, int],
        levels: NDArray[np.float32],
    ) -> None:
        first, second, third = order
        for y in range(out.shape[0]):
            for x in range(out.shape[1]):
                out[y, x, 0] = levels[picture[y, x, first]]
                out[y, x, 1] = levels[picture[y, x, second]]
                out[y, x, 2] = levels[picture[y, x, third]]

    compiled: Kernel = numba.njit(signature, nogil=True, cache=True)(copy)
    return compiled


def paint(
    crop: NDArray[np.uint8],
    which: int,
    order: Sequence[int] = (0, 1, 2),
    *,
    out: NDArray[np.float32],
) -> None:
    """Writes a square picture in one of its eight symmetries, its colours in the given order.

    Several threads may do so at once: Python's lock is released.

    Args:
        crop: uint8 (p, p, 3), of any strides.
        which: Bit 0 transposes, 1 flips rows, 2 flips columns.
        order: Which of the crop's channels become the first, second and third.
        out: float32 (p, p, 3), contiguous; gets the values over 255, in [0, 1].
    """
    assert crop.shape == out.shape, f"{crop.shape} does not fit into {out.shape}"
    picture = crop.swapaxes(0, 1) if which & 1 else crop
    picture = picture[:: -1 if which & 2 else 1, :: -1 if which & 4 else 1]
    first, second, third = order
    _kernel()(out, picture, (first, second, third), _LEVELS)
