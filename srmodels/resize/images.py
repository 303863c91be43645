"""uint8 images to LR by MATLAB's `imresize(..., 'bicubic')` with an integer factor, exactly.

The same kernel as in `resize.tensors`. Columns come first, which leaves 1 / scale of the work for
the rows. At scales 2, 4 and 8 all weights and sums are exact, so that ties round as they should.
"""

from collections.abc import Callable
from functools import cache

import numpy as np
from numpy.typing import NDArray

from srmodels.machine import compile_function

Picture = NDArray[np.uint8]
Floats = NDArray[np.float32 | np.float64]
Index = NDArray[np.int64]
Kernel = Callable[[Picture, Picture, NDArray[np.float64], tuple[Index, Index]], None]

_SUPPORT = 2  # LR pixels that the kernel reaches
_WIDTH = 2 * _SUPPORT


def crop_to_multiple(image: Picture, scale: int) -> Picture:
    """Crops (H, W, 3) at the bottom and the right to multiples of `scale`."""
    height, width = image.shape[:2]
    return image[: height - height % scale, : width - width % scale]


@cache
def _weights(scale: int) -> NDArray[np.float64]:
    """The weights of `_WIDTH * scale` HR pixels in an LR pixel; the first is 0 at odd scales."""
    offsets = np.arange(-_SUPPORT * scale, _SUPPORT * scale)  # from an LR pixel's centre
    x = np.abs(offsets + (0 if scale % 2 else 0.5)) / scale
    near = 1.5 * x**3 - 2.5 * x**2 + 1
    far = -0.5 * x**3 + 2.5 * x**2 - 4 * x + 2
    weights = np.where(x <= 1, near, np.where(x <= _SUPPORT, far, 0))
    normalised: NDArray[np.float64] = weights / weights.sum()
    return normalised


@cache
def _kernel() -> Kernel:
    """Compiled at its first use, in a few seconds, and cached on disk.

    Works on one row of LR pixels at a time, which fits into the first-level cache, and adds values
    that are neighbours in memory, so that the compiler vectorises.
    """
    import numba

    lines = numba.types.Array(numba.uint8, 2, "C", readonly=True)
    signature = numba.void(
        *(numba.uint8[:, ::1], lines, numba.float64[::1]), numba.types.UniTuple(numba.int64[::1], 2)
    )

    def shrink(
        lr: Picture, hr: Picture, weights: NDArray[np.float64], index: tuple[Index, Index]
    ) -> None:
        def add(out: Floats, four: Floats, taps: tuple[Floats, Floats, Floats, Floats]) -> None:
            a, b, c, d = taps
            for x in range(len(out)):  # in this order, which decides how sums are rounded
                out[x] = out[x] + four[0] * a[x] + four[1] * b[x] + four[2] * c[x] + four[3] * d[x]

        rows, columns = index
        scale, weights32 = len(weights) // _WIDTH, weights.astype(np.float32)
        line, total = np.empty(hr.shape[1], np.float32), np.empty(lr.shape[1])
        # of `scale` neighbours in a line, all the first ones, all the second ones and so on
        parts = np.empty((scale, len(columns) // scale), np.float32)
        flat, channels = parts.reshape(-1), (parts.shape[1] - lr.shape[1]) // (_WIDTH - 1)
        for y in range(lr.shape[0]):
            line[:], total[:] = 0, 0.5
            for tap in range(0, len(weights), 4):
                at = rows[y * scale + tap :]
                add(line, weights32[tap:], (hr[at[0]], hr[at[1]], hr[at[2]], hr[at[3]]))
            for i in range(len(flat)):
                flat[i] = line[columns[i]]
            for tap in range(0, len(weights), 4):
                a, b, c, d = [
                    parts[i % scale, i // scale * channels :] for i in range(tap, tap + 4)
                ]
                add(total, weights[tap:], (a, b, c, d))
            for x in range(len(total)):
                lr[y, x] = np.uint8(min(max(total[x], 0.0), 255.0))

    compiled: Kernel = compile_function(shrink, signature)
    return compiled


def load() -> None:
    """Loads the compiled kernel, in half a second, so that forked processes have it."""
    _kernel()


def _tap_index(size: int, scale: int) -> Index:
    """HR pixels from the first tap on, mirrored: `scale * x` on are the taps of LR pixel `x`."""
    first = scale // 2 - _SUPPORT * scale
    index = np.arange(first, first + size + (_WIDTH - 1) * scale) % (2 * size)
    return np.where(index < size, index, 2 * size - 1 - index)


def downscale(hr: Picture, scale: int) -> Picture:
    """Reduces uint8 (H, W, C), of any strides, by an integer factor that divides H and W."""
    height, width, channels = hr.shape
    assert height % scale == 0 and width % scale == 0, "call crop_to_multiple first"  # noqa: PT018
    lr = np.empty((height // scale, width // scale * channels), np.uint8)
    lines = np.ascontiguousarray(hr).reshape(height, width * channels)
    columns = _tap_index(width, scale).reshape(-1, scale).T
    values = (columns[..., None] * channels + np.arange(channels)).ravel()
    _kernel()(lr, lines, _weights(scale), (_tap_index(height, scale), values))
    return lr.reshape(height // scale, width // scale, channels)
