"""Y of every score: ITU-R BT.601 in limited range, as in MATLAB's rgb2ycbcr.

Y = 16 + (65.481 R + 128.553 G + 24.966 B) / 255 with R, G, B in 0..255 (BT.601-7, section 2.5.3).
In units of 1/255000 of a grey level, Y of an 8-bit picture is an integer: exact, and three times as
fast as a float64 matrix product.
"""

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from srmodels.errors import ProtocolError

Picture = NDArray[np.uint8]
UNITS = 255_000  # per grey level
_WEIGHTS = (65_481, 128_553, 24_966)
_ROWS = 64  # of a block, whose values stay in the processor's cache


def _units(picture: Picture) -> Tensor:
    assert picture.dtype == np.uint8, f"pictures are uint8, not {picture.dtype}"
    assert picture.shape[2:] == (3,), f"pictures are (H, W, 3), not {picture.shape}"
    total = torch.empty(picture.shape[:2], dtype=torch.int32)
    for top in range(0, len(picture), _ROWS):
        block = torch.from_numpy(np.ascontiguousarray(picture[top : top + _ROWS]))
        rows = total[top : top + _ROWS]
        torch.mul(block[..., 0].to(torch.int32), _WEIGHTS[0], out=rows)
        rows.add_(block[..., 1].to(torch.int32), alpha=_WEIGHTS[1])
        rows.add_(block[..., 2].to(torch.int32), alpha=_WEIGHTS[2])
    return total


def luma(picture: Picture) -> NDArray[np.float64]:
    """Y of uint8 (H, W, 3), RGB: float64 (H, W), 16 (black) to 235 (white)."""
    y: NDArray[np.float64] = 16 + _units(picture).numpy().astype(np.float64) / UNITS
    return y


def inside(sr: Picture, hr: Picture, *, border: int) -> tuple[Picture, Picture]:
    """Views of SR and HR, uint8 (H, W, 3), RGB, without `border` pixels on each side."""
    (height, width), (hr_height, hr_width) = sr.shape[:2], hr.shape[:2]
    if (height, width) != (hr_height, hr_width):
        raise ProtocolError(
            f"SR and HR differ in size (got {width} x {height} and {hr_width} x {hr_height} "
            "pixels). Cut HR to a multiple of the scale and use weights of that scale."
        )
    if min(height, width) <= 2 * border:
        raise ProtocolError(
            f"picture too small to score (got {width} x {height} pixels). Use more than "
            f"{2 * border} pixels on both sides."
        )
    within = slice(border, height - border), slice(border, width - border)
    return sr[within], hr[within]


def luma_pair(sr: Picture, hr: Picture, *, border: int) -> tuple[Tensor, Tensor]:
    """Y - 16 of what `inside` returns, in 1/255000 of a grey level, int32."""
    sr, hr = inside(sr, hr, border=border)
    return _units(sr), _units(hr)
