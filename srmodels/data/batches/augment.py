"""Crops of uint8 images in the eight symmetries of a square, written as float32 by numba."""

from collections.abc import Callable, Sequence
from functools import cache

import numba
import numpy as np
from numpy.typing import NDArray

from srmodels.machine import compile_function

Pixels = NDArray[np.void]
Values = NDArray[np.uint8]
Kernel = Callable[[NDArray[np.float32], NDArray[np.uint8], tuple[int, ...]], None]

_PIXEL = np.dtype([("red", "u1"), ("green", "u1"), ("blue", "u1")])  # copied as a whole
_BLOCK = 32  # rows; fit into the L1 cache
_MASK_SIZE = 768  # values
_RED, _GREEN, _BLUE = np.tile(np.diag(np.array([255] * 3, np.uint8)), _MASK_SIZE // 3)
_u = np.uint64  # unsigned indices: numba checks signed ones for negative values


def _copy_rows(lines: Pixels, pixels: Pixels, box: tuple[int, ...], rows: tuple[int, int]) -> None:
    """Copies rows of the transformed crop from a flat image, behind one pixel of margin."""
    (top, left, side, width, symmetry), (begin, end) = box, rows
    step, start = (-1, side - 1 - begin) if symmetry & 2 else (1, begin)
    if symmetry & 1:
        for x in range(side):
            row = top + (side - 1 - x if symmetry & 4 else x)
            source, target = _u(row * width + left + start), _u(x + 1)
            for y in range(end - begin):
                lines[target + _u(side) * _u(y)] = pixels[source + _u(step) * _u(y)]
    else:
        for y in range(end - begin):
            source, target = _u((top + start + step * y) * width + left), _u(y * side + 1)
            if symmetry & 4:
                for x in range(side):
                    lines[target + _u(x)] = pixels[source + _u(side - 1) - _u(x)]
            else:
                for x in range(side):
                    lines[target + _u(x)] = pixels[source + _u(x)]


def _permute(permuted: Values, values: Values, length: int, order: tuple[int, int, int]) -> None:
    """Permutes the colours; both arrays have one pixel of margin at each end."""
    for start in range(3, 3 + length, _MASK_SIZE):
        target = _u(start)
        a, b, c = _u(start + order[0]), _u(start + order[1] - 1), _u(start + order[2] - 2)
        for x in range(min(_MASK_SIZE, 3 + length - start)):
            red, green = values[a + _u(x)] & _RED[_u(x)], values[b + _u(x)] & _GREEN[_u(x)]
            permuted[target + _u(x)] = red | green | (values[c + _u(x)] & _BLUE[_u(x)])


_compiled_copy_rows, _compiled_permute = numba.njit(_copy_rows), numba.njit(_permute)


@cache
def _kernel() -> Kernel:
    """Compiles at the first call, in seconds; cached on disk. NumPy would need three passes."""
    images = numba.types.Array(numba.uint8, 3, "C", readonly=True)
    numbers = numba.types.UniTuple(numba.int64, 6)
    signature = numba.void(numba.float32[:, :, ::1], images, numbers)

    def augment(
        out: NDArray[np.float32], image: NDArray[np.uint8], numbers: tuple[int, ...]
    ) -> None:
        top, left, symmetry, first, second, third = numbers
        side = len(out)
        box, pixels = (top, left, side, image.shape[1], symmetry), image.reshape(-1).view(_PIXEL)
        if symmetry & 1:  # reads columns: faster from a small copy
            crop = np.empty(3 * (side * side + 1), np.uint8).view(_PIXEL)
            _compiled_copy_rows(crop, pixels, (top, left, side, image.shape[1], 0), (0, side))
            box, pixels = (0, 0, side, side, symmetry), crop[1:]
        copied = np.empty(3 * (min(side, _BLOCK) * side + 2), np.uint8)
        permuted = np.empty_like(copied)
        lines, values = copied.view(_PIXEL), out.reshape(-1)
        for begin in range(0, side, _BLOCK):
            end = min(begin + _BLOCK, side)
            target, length = _u(3 * begin * side), 3 * (end - begin) * side
            _compiled_copy_rows(lines, pixels, box, (begin, end))
            block = copied
            if first != 0 or second != 1:
                _compiled_permute(permuted, copied, length, (first, second, third))
                block = permuted
            for k in range(length):
                values[target + _u(k)] = np.float32(block[_u(k) + _u(3)]) / np.float32(255)

    compiled: Kernel = compile_function(augment, signature)
    return compiled


def crop_and_augment(
    image: NDArray[np.uint8],
    corner: tuple[int, int],
    symmetry: int,
    order: Sequence[int] = (0, 1, 2),
    *,
    out: NDArray[np.float32],
) -> None:
    """Writes a square crop in one of its eight symmetries, with permuted colours, into `out`.

    `image` is uint8 (H, W, 3), `corner` the crop's first row and column; bit 0 of `symmetry`
    transposes, 1 flips rows, 2 flips columns, in this order; `order` has the image's channels that
    become red, green and blue; `out` is float32 (p, p, 3), in [0, 1]. Releases the GIL.
    """
    (height, width, _), side = image.shape, len(out)
    top, left = corner
    assert 0 <= top <= height - side and 0 <= left <= width - side, (  # noqa: PT018
        f"no crop of {side} pixels at {top}, {left} lies in {width}x{height}"
    )
    _kernel()(out, image, (top, left, symmetry, *order))
