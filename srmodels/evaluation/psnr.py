"""Peak signal-to-noise ratio, peak 255: on Y as the field's tables report it, and on RGB."""

import math

import numpy as np
import torch
from torch import Tensor

from srmodels.evaluation.luma import UNITS, Picture, inside, luma_pair

__all__ = ["CEILING", "psnr", "psnr_rgb", "psnr_y"]

CEILING = 100.0  # dB; what equal pictures get, so that a mean stays a number and JSON stays JSON
_ROWS = 64  # a block's intermediate values stay in the processor's cache


def _decibels(error: float) -> float:
    """Of a mean squared error in grey levels."""
    return CEILING if error == 0 else min(CEILING, 10 * math.log10(255**2 / error))


def psnr(sr: Tensor, hr: Tensor) -> float:
    """PSNR of two planes as `luma_pair` returns them, in dB, at most CEILING."""
    total = torch.zeros((), dtype=torch.float64)
    for top in range(0, len(sr), _ROWS):
        difference = sr[top : top + _ROWS] - hr[top : top + _ROWS]
        total += difference.to(torch.float32).square_().sum(dtype=torch.float64)
    return _decibels(total.item() / sr.numel() / UNITS**2)


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


def psnr_rgb(sr: Picture, hr: Picture, *, border: int) -> float:
    """PSNR over all three colours: of one mean squared error, not the mean of three PSNRs.

    Takes, returns and raises what `psnr_y` does; a photograph has 1 to 2 dB less than on Y.
    """
    sr, hr = inside(sr, hr, border=border)
    total = 0
    for top in range(0, len(sr), _ROWS):
        difference = sr[top : top + _ROWS].astype(np.int32) - hr[top : top + _ROWS]
        total += int(np.square(difference, out=difference).sum(dtype=np.int64))
    return _decibels(total / sr.size)
