"""The eight symmetries of a square, as fast copies of uint8 crops into float32 pictures."""

from collections.abc import Callable, Sequence
from functools import cache

import numba
import numpy as np
from numpy.typing import NDArray

__all__ = ["crop_and_augment"]

Pixels = NDArray[np.void]
Values = NDArray[np.uint8]
Kernel = Callable[[NDArray[np.float32], NDArray[np.uint8], tuple[int, ...]], None]

_PIXEL = np.dtype([("red", "u1"), ("green", "u1"), ("blue", "u1")])  # moved as one
_BLOCK = 32  # rows at a time, for the processor's first cache
_MASKED = 768  # values whose colours are exchanged at a time
_RED, _GREEN, _BLUE = np.tile(np.diag(np.array([255] * 3, np.uint8)), _MASKED // 3)
# Indices without a sign: of others numba asks whether they count from the end, once for each value.
_u = np.uint64


def _turn(lines: Pixels, pixels: Pixels, box: tuple[int, ...], rows: tuple[int, int]) -> None:
    """Moves rows of a crop's symmetry from a picture, end to end behind a pixel of margin."""
    (top, left, side, across, which), (begin, end) = box, rows
    step, start = (-1, side - 1 - begin) if which & 2 else (1, begin)
    if which & 1:
        for x in range(side):
            row = top + (side - 1 - x if which & 4 else x)
            at, to = _u(row * across + left + start), _u(x + 1)
            for y in range(end - begin):
                lines[to + _u(side) * _u(y)] = pixels[at + _u(step) * _u(y)]
    else:
        for y in range(end - begin):
            at, to = _u((top + start + step * y) * across + left), _u(y * side + 1)
            if which & 4:
                for x in range(side):
                    lines[to + _u(x)] = pixels[at + _u(side - 1) - _u(x)]
            else:
                for x in range(side):
                    lines[to + _u(x)] = pixels[at + _u(x)]


def _exchange(ordered: Values, values: Values, length: int, order: tuple[int, int, int]) -> None:
    """Puts the colours of pixels into another order; both with a pixel of margin at each end."""
    for start in range(3, 3 + length, _MASKED):
        to = _u(start)
        a, b, c = _u(start + order[0]), _u(start + order[1] - 1), _u(start + order[2] - 2)
        for x in range(min(_MASKED, 3 + length - start)):
            red, green = values[a + _u(x)] & _RED[_u(x)], values[b + _u(x)] & _GREEN[_u(x)]
            ordered[to + _u(x)] = red | green | (values[c + _u(x)] & _BLUE[_u(x)])


_compiled_turn, _compiled_exchange = numba.njit(_turn), numba.njit(_exchange)


@cache
def _kernel() -> Kernel:
    """Compiled at its first use, in a few seconds, and kept on disk.

    numpy needs a pass over whole pictures for each of turning, exchanging colours and dividing, and
    pixels of three bytes are the slowest thing it copies. Here a few rows at a time pass through
    all three, each a loop of which the compiler does many turns at once.
    """
    pictures = numba.types.Array(numba.uint8, 3, "C", readonly=True)
    numbers = numba.types.UniTuple(numba.int64, 6)
    signature = numba.void(numba.float32[:, :, ::1], pictures, numbers)

    def copy(out: NDArray[np.float32], whole: NDArray[np.uint8], numbers: tuple[int, ...]) -> None:
        top, left, which, first, second, third = numbers
        side = len(out)
        box, pixels = (top, left, side, whole.shape[1], which), whole.reshape(-1).view(_PIXEL)
        if which & 1:  # columns are read: from a copy nearby, since memory is fast row by row only
            near = np.empty(3 * (side * side + 1), np.uint8).view(_PIXEL)
            _compiled_turn(near, pixels, (top, left, side, whole.shape[1], 0), (0, side))
            box, pixels = (0, 0, side, side, which), near[1:]
        turned = np.empty(3 * (min(side, _BLOCK) * side + 2), np.uint8)
        ordered = np.empty_like(turned)
        lines, values = turned.view(_PIXEL), out.reshape(-1)
        for begin in range(0, side, _BLOCK):
            end = min(begin + _BLOCK, side)
            to, length = _u(3 * begin * side), 3 * (end - begin) * side
            _compiled_turn(lines, pixels, box, (begin, end))
            painted = turned
            if first != 0 or second != 1:
                _compiled_exchange(ordered, turned, length, (first, second, third))
                painted = ordered
            for place in range(length):
                values[to + _u(place)] = np.float32(painted[_u(place) + _u(3)]) / np.float32(255)

    compiled: Kernel = numba.njit(signature, nogil=True, cache=True)(copy)
    return compiled


def crop_and_augment(
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
    _kernel()(out, whole, (top, left, which, *order))
