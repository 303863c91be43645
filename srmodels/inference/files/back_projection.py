"""Iterative back-projection: corrects SR until it is LR when reduced.

Irani and Peleg, "Improving resolution by image registration", CVGIP 1991, section 3: LR minus the
reduced SR is enlarged and added. Both use the protocol's bicubic kernel (see `resize`). Shifts of
colour go; detail finer than LR's pixels stays.
"""

from collections.abc import Iterator

import torch

from srmodels.images.colour import Pixels
from srmodels.images.writers.row_stream import RowBuffer, RowChunks
from srmodels.resize.tensors import enlarge, reduce, to_image, to_tensor

__all__ = ["ITERATIONS", "back_project"]

ITERATIONS = 8
_MARGIN = 5  # LR rows that one iteration depends on: two kernels of 2 pixels, and a rounding
_PIXELS = 2**19  # LR pixels corrected at once


def back_project(
    bands: RowChunks, lr: Pixels, *, scale: int, iterations: int = ITERATIONS
) -> Iterator[Pixels]:
    """Corrects SR in bands (rows, scale W, 3), from the top down, towards LR (H, W, 3).

    Yields the bands of the corrected picture, with other heights.
    """
    buffer, height = RowBuffer(bands), len(lr)
    margin = _MARGIN * iterations
    band_height = max(32, _PIXELS // lr.shape[1])
    for top in range(0, height, band_height):
        bottom = min(top + band_height, height)
        padded_top, padded_bottom = max(0, top - margin), min(height, bottom + margin)
        sr = to_tensor(buffer.rows(scale * padded_top, scale * padded_bottom))
        target = to_tensor(lr[padded_top:padded_bottom])
        with torch.inference_mode():
            for _ in range(iterations):
                sr = (sr + enlarge(target - reduce(sr, scale), scale)).clamp(0, 1)
        inside = sr[..., scale * (top - padded_top) : scale * (bottom - padded_top), :]
        yield to_image(inside, lr.dtype)
