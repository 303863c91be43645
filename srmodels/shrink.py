"""The protocol's LR pictures: MATLAB's `imresize(..., 'bicubic')` by a whole factor, exactly.

Cubic kernel with a = -0.5 (Keys, "Cubic convolution interpolation for digital image processing",
1981, eq. 15), widened by the scale (anti-aliasing), edges mirrored: what `srmodels.resize.reduce`
does with tensors. Here columns come first, since that leaves a scale-th of the work for the rows.
At scales 2, 4 and 8 all weights and sums are exact, so that ties round as they should.
"""

from collections.abc import Callable
from functools import cache

import numpy as np
from numpy.typing import NDArray

__all__ = ["crop_to_multiple", "load", "reduce_image"]

Picture = NDArray[np.uint8]
Index = NDArray[np.int64]
Kernel = Callable[
    [Picture, Picture, NDArray[np.float32], NDArray[np.float64], tuple[Index, Index]], None
]

_SUPPORT = 2  # LR pixels that the kernel reaches


def crop_to_multiple(image: Picture, scale: int) -> Picture:
    """Cuts (H, W, 3) at the bottom and the right to multiples of `scale`."""
    height, width = image.shape[:2]
    return image[: height - height % scale, : width - width % scale]


@cache
def _weights(scale: int) -> NDArray[np.float64]:
    """How the HR pixels around an LR pixel make it; their number is even where the scale is."""
    reach = _SUPPORT * scale
    places = np.arange(-reach, reach + scale % 2)  # of HR pixels, from an LR pixel's middle
    x = np.abs(places + (0 if scale % 2 else 0.5)) / scale
    near = 1.5 * x**3 - 2.5 * x**2 + 1
    far = -0.5 * x**3 + 2.5 * x**2 - 4 * x + 2
    weights = np.where(x <= 1, near, np.where(x <= _SUPPORT, far, 0))
    normed: NDArray[np.float64] = weights / weights.sum()
    return normed


@cache
def _kernel() -> Kernel:
    """Compiled at its first use, in a few seconds, and kept on disk.

    numpy would pass over whole pictures of floats for each of the sixteen weights.
    """
    import numba

    rows = numba.types.Array(numba.uint8, 2, "C", readonly=True)
    signature = numba.void(
        *(numba.uint8[:, :, ::1], rows, numba.float32[::1], numba.float64[::1]),
        numba.types.UniTuple(numba.int64[::1], 2),
    )

    def shrink(
        lr: Picture,
        hr: Picture,
        line: NDArray[np.float32],
        weights: NDArray[np.float64],
        under: tuple[Index, Index],
    ) -> None:
        rows, columns = under
        taps, channels = len(weights), lr.shape[2]
        for y in range(lr.shape[0]):
            line[:] = 0
            for tap in range(taps):
                row, weight = hr[rows[y * taps + tap]], np.float32(weights[tap])
                for place in range(len(line)):
                    line[place] += weight * row[place]
            for x in range(lr.shape[1]):
                for channel in range(channels):
                    total = 0.5
                    for tap in range(taps):
                        total += weights[tap] * line[columns[x * taps + tap] + channel]
                    lr[y, x, channel] = np.uint8(min(max(total, 0.0), 255.0))

    compiled: Kernel = numba.njit(signature, nogil=True, cache=True)(shrink)
    return compiled


def load() -> None:
    """Loads the compiled kernel, half a second's work, so that processes forked later have it."""
    _kernel()


def _under(size: int, scale: int, taps: int) -> Index:
    """Which HR pixels lie under the taps of each LR pixel, mirrored at the edges."""
    first = np.arange(0, size, scale) + scale // 2 - taps // 2
    places = (first[:, None] + np.arange(taps)) % (2 * size)
    return np.where(places < size, places, 2 * size - 1 - places).ravel()


def reduce_image(hr: Picture, scale: int) -> Picture:
    """The protocol's LR picture of an HR one: uint8 (H, W, C) to uint8 (H/scale, W/scale, C).

    Args:
        hr: Sides that are multiples of `scale`; of any strides.
        scale: How many times smaller.
    """
    height, width, channels = hr.shape
    assert height % scale == 0 and width % scale == 0, "crop_to_multiple comes first"  # noqa: PT018
    lr = np.empty((height // scale, width // scale, channels), np.uint8)
    lines = np.ascontiguousarray(hr).reshape(height, width * channels)
    weights = _weights(scale)
    rows, columns = (_under(size, scale, len(weights)) for size in (height, width))
    line = np.empty(width * channels, np.float32)
    _kernel()(lr, lines, line, weights, (rows, columns * channels))
    return lr
