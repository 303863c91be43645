"""Peak signal-to-noise ratio on Y, as the field's tables report it: peak 255, borders left out."""

import math

import torch
from torch import Tensor

from srmodels.evaluation.luma import UNITS, Picture, luma_pair

__all__ = ["CEILING", "psnr", "psnr_y"]

CEILING = 100.0  # dB; what equal pictures get, so that a mean stays a number and JSON stays JSON
_ROWS = 64  # a block's intermediate values stay in the processor's cache


def psnr(sr: Tensor, hr: Tensor) -> float:
    """PSNR of two planes as `luma_pair` returns them, in dB, at most CEILING."""
    total = torch.zeros((), dtype=torch.float64)
    for top in range(0, len(sr), _ROWS):
        difference = sr[top : top + _ROWS] - hr[top : top + _ROWS]
        total += difference.to(torch.float32).square_().sum(dtype=torch.float64)
    error = total.item() / sr.numel() / UNITS**2
    return CEILING if error == 0 else min(CEILING, 10 * math.log10(255**2 / error))


def psnr_y(sr: Picture, hr: Picture, *, border: int) -> float:
    """PSNR on Y.

    Args:
        sr: uint8 (H, W, 3), RGB.
        hr: The same size.
        border: Pixels left out on each side; the field's tables leave out `scale`.

    Returns:
        dB; CEILING for equal pictures.

    Raises:
        ProtocolError: The sizes differ, or nothing is left inside the border.
    """
    return psnr(*luma_pair(sr, hr, border=border))
