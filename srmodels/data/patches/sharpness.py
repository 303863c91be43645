"""The sharpness of patches: how much neighbouring pixels differ."""

from collections.abc import Callable
from functools import cache

import numba
import numpy as np
from numpy.typing import NDArray

from srmodels.machine import compile_function

Kernel = Callable[[NDArray[np.int64], NDArray[np.uint8], NDArray[np.int64], int, int], None]


@cache
def _kernel() -> Kernel:
    """Compiled in a second at the first use, then cached on disk; numpy would copy green often."""
    pictures = numba.types.Array(numba.uint8, 3, "A", readonly=True)
    numbers = numba.int64[:, ::1]
    signature = numba.void(numbers, pictures, numbers, numba.int64, numba.int64)

    def add_differences(
        sums: NDArray[np.int64],
        hr: NDArray[np.uint8],
        corners: NDArray[np.int64],
        side: int,
        scale: int,
    ) -> None:
        for k in range(len(corners)):
            top, left = corners[k]
            box = hr[top : top + side, left : left + side, 1]
            for y in range(0, side, scale):
                row, across = box[y], np.int32(0)
                for x in range(side - 1):
                    across += abs(np.int32(row[x + 1]) - np.int32(row[x]))
                sums[k, 0] += across
            for y in range(side - 1):
                row, below, down = box[y, ::scale], box[y + 1, ::scale], np.int32(0)
                for x in range(len(row)):
                    down += abs(np.int32(below[x]) - np.int32(row[x]))
                sums[k, 1] += down

    compiled: Kernel = compile_function(add_differences, signature)
    return compiled


def load() -> None:
    """Loads the compiled kernel, so that forked processes have it."""
    _kernel()


def sharpness(
    hr: NDArray[np.uint8], corners: NDArray[np.int64], size: int, scale: int
) -> NDArray[np.float64]:
    """(N,): mean difference of green neighbours in HR at LR boxes, 0 to 255, three decimals."""
    side = size * scale
    sums = np.zeros((len(corners), 2), np.int64)
    _kernel()(sums, hr, corners * scale, side, scale)
    steps = size * (side - 1)
    means = [(across / steps + down / steps) / 2 for across, down in sums.tolist()]
    return np.array([round(mean, 3) for mean in means])
