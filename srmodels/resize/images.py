"""The protocol's LR pictures: MATLAB's `imresize(..., 'bicubic')` by a whole factor, exactly.

Cubic kernel with a = -0.5 (Keys, "Cubic convolution interpolation for digital image processing",
1981, eq. 15), widened by the scale (anti-aliasing), edges mirrored: what
`srmodels.resize.tensors.reduce` does with tensors. Here columns come first, since that leaves a
scale-th of the work for the rows. At scales 2, 4 and 8 all weights and sums are exact, so that ties
round as they should.
"""

from collections.abc import Callable
from functools import cache

import numpy as np
from numpy.typing import NDArray

__all__ = ["crop_to_multiple", "downscale", "load"]

Picture = NDArray[np.uint8]
Floats = NDArray[np.float32 | np.float64]
Index = NDArray[np.int64]
Kernel = Callable[[Picture, Picture, NDArray[np.float64], tuple[Index, Index]], None]

_SUPPORT = 2  # LR pixels that the kernel reaches
_WIDTH = 2 * _SUPPORT


def crop_to_multiple(image: Picture, scale: int) -> Picture:
    """Cuts (H, W, 3) at the bottom and the right to multiples of `scale`."""
    height, width = image.shape[:2]
    return image[: height - height % scale, : width - width % scale]


@cache
def _weights(scale: int) -> NDArray[np.float64]:
    """How `_WIDTH * scale` HR pixels make an LR pixel; of an odd scale the first adds nothing."""
    places = np.arange(-_SUPPORT * scale, _SUPPORT * scale)  # from an LR pixel's middle
    x = np.abs(places + (0 if scale % 2 else 0.5)) / scale
    near = 1.5 * x**3 - 2.5 * x**2 + 1
    far = -0.5 * x**3 + 2.5 * x**2 - 4 * x + 2
    weights = np.where(x <= 1, near, np.where(x <= _SUPPORT, far, 0))
    normed: NDArray[np.float64] = weights / weights.sum()
    return normed


@cache
def _kernel() -> Kernel:
    """Compiled at its first use, in a few seconds, and kept on disk.

    numpy would pass over whole pictures of floats for each of the sixteen weights. A row of LR
    pixels at a time, everything lies in the processor's first cache; and values that are added lie
    side by side, so that sixteen at once can be.
    """
    import numba

    lines = numba.types.Array(numba.uint8, 2, "C", readonly=True)
    signature = numba.void(
        *(numba.uint8[:, ::1], lines, numba.float64[::1]),
        numba.types.UniTuple(numba.int64[::1], 2),
    )

    def shrink(
        lr: Picture, hr: Picture, weights: NDArray[np.float64], under: tuple[Index, Index]
    ) -> None:
        def add(out: Floats, four: Floats, under: tuple[Floats, Floats, Floats, Floats]) -> None:
            a, b, c, d = under
            for x in range(len(out)):  # in this order, which decides how sums are rounded
                out[x] = out[x] + four[0] * a[x] + four[1] * b[x] + four[2] * c[x] + four[3] * d[x]

        rows, values = under
        scale, light = len(weights) // _WIDTH, weights.astype(np.float32)
        line, total = np.empty(hr.shape[1], np.float32), np.empty(lr.shape[1])
        # of `scale` neighbours in a line, all the first ones, all the second ones and so on
        parts = np.empty((scale, len(values) // scale), np.float32)
        flat, channels = parts.reshape(-1), (parts.shape[1] - lr.shape[1]) // (_WIDTH - 1)
        for y in range(lr.shape[0]):
            line[:], total[:] = 0, 0.5
            for tap in range(0, len(weights), 4):
                at = rows[y * scale + tap :]
                add(line, light[tap:], (hr[at[0]], hr[at[1]], hr[at[2]], hr[at[3]]))
            for place in range(len(flat)):
                flat[place] = line[values[place]]
            for tap in range(0, len(weights), 4):
                a, b, c, d = [
                    parts[each % scale, each // scale * channels :] for each in range(tap, tap + 4)
                ]
                add(total, weights[tap:], (a, b, c, d))
            for x in range(len(total)):
                lr[y, x] = np.uint8(min(max(total[x], 0.0), 255.0))

    compiled: Kernel = numba.njit(signature, nogil=True, cache=True)(shrink)
    return compiled


def load() -> None:
    """Loads the compiled kernel, half a second's work, so that processes forked later have it."""
    _kernel()


def _reached(size: int, scale: int) -> Index:
    """The HR pixels from the first tap of the first LR pixel on, mirrored at the edges.

    LR pixel `x` is made of those from `scale * x` to `scale * (x + _WIDTH)`.
    """
    first = scale // 2 - _SUPPORT * scale
    places = np.arange(first, first + size + (_WIDTH - 1) * scale) % (2 * size)
    return np.where(places < size, places, 2 * size - 1 - places)


def downscale(hr: Picture, scale: int) -> Picture:
    """The protocol's LR picture of an HR one: uint8 (H, W, C) to uint8 (H/scale, W/scale, C).

    Args:
        hr: Sides that are multiples of `scale`; of any strides.
        scale: How many times smaller.
    """
    height, width, channels = hr.shape
    assert height % scale == 0 and width % scale == 0, "crop_to_multiple comes first"  # noqa: PT018
    lr = np.empty((height // scale, width // scale * channels), np.uint8)
    lines = np.ascontiguousarray(hr).reshape(height, width * channels)
    columns = _reached(width, scale).reshape(-1, scale).T
    values = (columns[..., None] * channels + np.arange(channels)).ravel()
    _kernel()(lr, lines, _weights(scale), (_reached(height, scale), values))
    return lr.reshape(height // scale, width // scale, channels)
