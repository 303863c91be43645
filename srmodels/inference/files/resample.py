"""Pictures in rows to any other size, with Pillow's kernels and little memory.

A part is resampled from the rows its kernel reaches, exactly as if from the whole picture: Pillow
takes the place of the part as fractions of a pixel, and looks beyond it.
"""

import math
from collections.abc import Iterator
from typing import Literal

import numpy as np
from PIL import Image

from srmodels.images.colour import Pixels
from srmodels.images.writers.row_stream import RowBuffer, RowChunks

__all__ = ["Kernel", "resampled", "resampled_part"]

Kernel = Literal["bicubic", "lanczos"]
_KERNELS = {
    "bicubic": (Image.Resampling.BICUBIC, 2.0),  # a = -0.5, as the protocol's
    "lanczos": (Image.Resampling.LANCZOS, 3.0),
}
_PIXELS = 2**21  # of the result, resampled at once


def _reach(size: int, to: int, first: int, end: int, kernel: Kernel) -> tuple[int, int]:
    """The rows of the source that some rows of the result depend on."""
    ratio = size / to
    margin = _KERNELS[kernel][1] * max(1.0, ratio) + 1
    return max(0, math.floor(first * ratio - margin)), min(size, math.ceil(end * ratio + margin))


def _resampled(
    rows: Pixels, top: float, bottom: float, size: tuple[int, int], kernel: Kernel
) -> Pixels:
    """What lies between two heights of some rows, (R, W, C), at a size."""
    box = (0.0, max(0.0, top), float(rows.shape[1]), min(float(len(rows)), bottom))
    result: Pixels = np.empty((*size, rows.shape[2]), rows.dtype)
    white = np.iinfo(rows.dtype).max
    for channel in range(rows.shape[2]):
        plane = Image.fromarray(rows[..., channel].astype(np.float32))
        values = np.asarray(plane.resize(size[::-1], _KERNELS[kernel][0], box))
        result[..., channel] = (values + 0.5).clip(0, white)
    return result


def resampled_part(
    picture: Pixels, to: tuple[int, int], first: int, end: int, *, kernel: Kernel
) -> Pixels:
    """Some rows of a picture in memory, (H, W, C), brought to another height and width."""
    height = len(picture)
    above, below = _reach(height, to[0], first, end, kernel)
    ratio = height / to[0]
    return _resampled(
        picture[above:below],
        first * ratio - above,
        end * ratio - above,
        (end - first, to[1]),
        kernel,
    )


def resampled(
    bands: RowChunks, *, size: tuple[int, int], to: tuple[int, int], kernel: Kernel = "lanczos"
) -> Iterator[Pixels]:
    """A picture in rows brought to another size.

    Args:
        bands: (rows, W, C), uint8 or uint16.
        size: Their height in all, and W.
        to: Height and width wanted.
        kernel: Of Pillow; widened where it reduces.

    Yields:
        Rows of the same kind, rounded and clamped.
    """
    held, ratio = RowBuffer(bands), size[0] / to[0]
    some = max(1, _PIXELS // to[1])
    for first in range(0, to[0], some):
        end = min(first + some, to[0])
        above, below = _reach(size[0], to[0], first, end, kernel)
        yield _resampled(
            held.rows(above, below),
            first * ratio - above,
            end * ratio - above,
            (end - first, to[1]),
            kernel,
        )
