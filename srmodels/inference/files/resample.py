"""Pictures in bands of rows, resized with Pillow's kernels.

A band is resized from the rows that its kernel reaches, with the result of the whole picture:
Pillow takes a box with fractions of a pixel and reads beyond it.
"""

import math
from collections.abc import Callable, Iterator
from typing import Literal

import numpy as np
from PIL import Image

from srmodels.images.colour import Pixels
from srmodels.images.writers.row_stream import RowBuffer, RowChunks

__all__ = ["Kernel", "resample_part", "resample_rows"]

Kernel = Literal["bicubic", "lanczos"]
_KERNELS = {  # Pillow's, and its support in pixels
    "bicubic": (Image.Resampling.BICUBIC, 2.0),  # a = -0.5, as the protocol's
    "lanczos": (Image.Resampling.LANCZOS, 3.0),
}
_PIXELS = 2**21  # of the result, resized at once


def _resample(
    read: Callable[[int, int], Pixels],
    height: int,
    to: tuple[int, int],
    rows: tuple[int, int],
    kernel: Kernel,
) -> Pixels:
    """Some rows of a picture of that height after resizing it to `to` (height, width)."""
    first, end = rows
    method, support = _KERNELS[kernel]
    ratio = height / to[0]
    margin = support * max(1.0, ratio) + 1
    above = max(0, math.floor(first * ratio - margin))
    source = read(above, min(height, math.ceil(end * ratio + margin)))
    top, bottom = max(0.0, first * ratio - above), min(float(len(source)), end * ratio - above)
    box = (0.0, top, float(source.shape[1]), bottom)
    result: Pixels = np.empty((end - first, to[1], source.shape[2]), source.dtype)
    white = np.iinfo(source.dtype).max
    for channel in range(source.shape[2]):
        plane = Image.fromarray(source[..., channel].astype(np.float32))
        values = np.asarray(plane.resize((to[1], end - first), method, box))
        result[..., channel] = (values + 0.5).clip(0, white)
    return result


def resample_part(
    picture: Pixels, to: tuple[int, int], first: int, end: int, *, kernel: Kernel
) -> Pixels:
    """Rows `first` to `end` of a picture (H, W, C) resized to `to` (height, width)."""
    return _resample(lambda a, b: picture[a:b], len(picture), to, (first, end), kernel)


def resample_rows(
    bands: RowChunks, *, size: tuple[int, int], to: tuple[int, int], kernel: Kernel = "lanczos"
) -> Iterator[Pixels]:
    """Resizes a picture in bands from `size` to `to`, (height, width).

    Bands are (rows, W, C), uint8 or uint16, from the top down. Values are rounded and clamped.
    """
    buffer = RowBuffer(bands)
    band_height = max(1, _PIXELS // to[1])
    for first in range(0, to[0], band_height):
        end = min(first + band_height, to[0])
        yield _resample(buffer.rows, size[0], to, (first, end), kernel)
