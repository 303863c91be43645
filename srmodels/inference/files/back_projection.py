"""Back-projection: a result that, reduced again, is the picture it was made from.

Irani and Peleg, "Improving resolution by image registration", CVGIP 1991, section 3: what the
reduced result lacks is enlarged and added, several times over. Kernel of both ways: the protocol's
(see `resize`). It removes any shift of colour; detail finer than the input's stays as it is.
"""

from collections.abc import Iterator

import torch
from torch import Tensor

from srmodels.images.colour import Pixels
from srmodels.images.writers.row_stream import RowBuffer, RowChunks
from srmodels.inference.tiling.pixels import to_lr, to_pixels
from srmodels.resize.tensors import enlarge, reduce

__all__ = ["ITERATIONS", "back_project"]

ITERATIONS = 8
_REACH = 5  # LR rows that one iteration depends on: two kernels of 2 pixels, and a rounding
_PIXELS = 2**19  # LR pixels corrected at once


def _corrected(sr: Tensor, lr: Tensor, scale: int, iterations: int) -> Tensor:
    for _ in range(iterations):
        sr = (sr + enlarge(lr - reduce(sr, scale), scale)).clamp(0, 1)
    return sr


def back_project(
    bands: RowChunks,
    lr: Pixels,
    *,
    scale: int,
    iterations: int = ITERATIONS,
) -> Iterator[Pixels]:
    """Corrects a result in rows.

    Args:
        bands: SR, (rows, scale W, 3), from top to bottom.
        lr: (H, W, 3), of the same kind.
        scale: How many times larger SR is.
        iterations: How often it is corrected.

    Yields:
        SR in rows, as if the whole picture had been corrected at once.
    """
    held, height = RowBuffer(bands), len(lr)
    margin = _REACH * iterations
    some = max(32, _PIXELS // lr.shape[1])
    for top in range(0, height, some):
        bottom = min(top + some, height)
        above, below = max(0, top - margin), min(height, bottom + margin)
        sr = to_lr(held.rows(scale * above, scale * below))
        with torch.inference_mode():
            sr = _corrected(sr, to_lr(lr[above:below]), scale, iterations)
        inside = sr[..., scale * (top - above) : scale * (bottom - above), :]
        yield to_pixels(inside, lr.dtype)
