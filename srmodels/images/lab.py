"""CIE L*a*b* to sRGB."""

import numpy as np
from numpy.typing import NDArray

from srmodels.images.colour import Pixels
from srmodels.images.colour_spaces import linear_to_srgb, map_rows, xyz_to_linear_srgb

__all__ = ["lab_to_srgb"]

_DELTA = 6 / 29


def lab_to_srgb(values: Pixels, white: tuple[float, float]) -> Pixels:
    """Converts (H, W, 3), relative to a white of chromaticity x and y, to sRGB of the same type.

    16 bits: L* to 100 at 65535, a* and b* in 256ths from -128 (at 0). 8 bits: L* to 100 at 255, a*
    and b* from -128.
    """
    x, y = white
    xyz_of_white = (x / y, 1.0, (1 - x - y) / y)
    matrix = (xyz_to_linear_srgb(white) * xyz_of_white).T.astype(np.float32)
    top = float(np.iinfo(values.dtype).max)
    unit = 1.0 if values.dtype == np.uint8 else 256.0

    def convert(part: Pixels) -> NDArray[np.uint16]:
        lightness = (part[..., 0] * np.float32(100 / top) + 16) / 116
        a, b = (part[..., k] / np.float32(unit) - 128 for k in (1, 2))
        roots = np.stack((lightness + a / 500, lightness, lightness - b / 200), axis=-1)
        # CIE 15:2018, section 8.2.1.1
        xyz = np.where(roots > _DELTA, roots**3, 3 * _DELTA**2 * (roots - 4 / 29))
        return linear_to_srgb(xyz.astype(np.float32) @ matrix)

    return map_rows(values, convert, 3)
