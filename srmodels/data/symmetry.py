"""The eight symmetries of a square, as fast copies of uint8 crops into float32 pictures."""

from collections.abc import Callable, Sequence
from functools import cache

import numba
import numpy as np
from numpy.typing import NDArray

__all__ = ["paint"]

Kernel = Callable[
    [NDArray[np.float32], NDArray[np.uint8], tuple[int, ...], NDArray[np.float32]], None
]
_LEVELS = np.arange(256, dtype=np.float32) / np.float32(255)


@cache
def _kernel() -> Kernel:
    """Compiled at its first use, in a second or two, and kept on disk.

    numpy needs a pass for each of turning, exchanging colours and dividing, and pixels of three
    bytes are the slowest thing it copies.
    """
    pictures = numba.types.Array(numba.uint8, 3, "C", readonly=True)
    numbers = numba.types.UniTuple(numba.int64, 6)
    signature = numba.void(numba.float32[:, :, ::1], pictures, numbers, numba.float32[::1])

    def copy(
        out: NDArray[np.float32],
        whole: NDArray[np.uint8],
        numbers: tuple[int, ...],
        levels: NDArray[np.float32],
    ) -> None:
        top, left, which, first, second, third = numbers
        side = out.shape[0]
        picture = whole[top : top + side, left : left + side]
        if which & 1:
            picture = picture.transpose((1, 0, 2))
        if which & 2:
            picture = picture[::-1]
        if which & 4:
            picture = picture[:, ::-1]
        for y in range(side):
            for x in range(side):
                out[y, x, 0] = levels[picture[y, x, first]]
                out[y, x, 1] = levels[picture[y, x, second]]
                out[y, x, 2] = levels[picture[y, x, third]]

    compiled: Kernel = numba.njit(signature, nogil=True, cache=True)(copy)
    return compiled


def paint(
    whole: NDArray[np.uint8],
    corner: tuple[int, int],
    which: int,
    order: Sequence[int] = (0, 1, 2),
    *,
    out: NDArray[np.float32],
) -> None:
    """Writes a square crop of a picture in one of its eight symmetries, its colours in some order.

    Several threads may do so at once: Python's lock is released.

    Args:
        whole: uint8 (H, W, 3), contiguous.
        corner: The crop's first row and column.
        which: Bit 0 transposes, 1 flips rows, 2 flips columns.
        order: Which of the picture's channels become the first, second and third.
        out: float32 (p, p, 3), contiguous; gets the values over 255, in [0, 1].
    """
    (height, width, _), side = whole.shape, len(out)
    top, left = corner
    assert 0 <= top <= height - side and 0 <= left <= width - side, (  # noqa: PT018
        f"no crop of {side} pixels at {top}, {left} lies in {width}x{height}"
    )
    _kernel()(out, whole, (top, left, which, *order), _LEVELS)
