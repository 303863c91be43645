"""PSNR, peak 255: on Y, as the field's tables have it, and on RGB."""

import math

import numpy as np
import torch
from torch import Tensor

from srmodels.evaluation.metrics.luma import UNITS, Picture, inside, luma_pair

CEILING = 100.0  # dB, for equal pictures, since JSON has no infinity
_ROWS = 64  # of a block, whose values stay in the processor's cache


def _decibels(error: float) -> float:
    return CEILING if error == 0 else min(CEILING, 10 * math.log10(255**2 / error))


def psnr(sr: Tensor, hr: Tensor) -> float:
    """PSNR of two planes of `luma_pair`, in dB, at most CEILING."""
    total = torch.zeros((), dtype=torch.float64)
    for top in range(0, len(sr), _ROWS):
        difference = sr[top : top + _ROWS] - hr[top : top + _ROWS]
        total += difference.to(torch.float32).square_().sum(dtype=torch.float64)
    return _decibels(total.item() / sr.numel() / UNITS**2)


def psnr_y(sr: Picture, hr: Picture, *, border: int) -> float:
    """PSNR on Y, in dB; takes and raises what `inside` does. The field's tables cut `scale`."""
    return psnr(*luma_pair(sr, hr, border=border))


def psnr_rgb(sr: Picture, hr: Picture, *, border: int) -> float:
    """PSNR of one mean squared error over all three colours; 1 to 2 dB less than on Y."""
    sr, hr = inside(sr, hr, border=border)
    total = 0
    for top in range(0, len(sr), _ROWS):
        difference = sr[top : top + _ROWS].astype(np.int32) - hr[top : top + _ROWS]
        total += int(np.square(difference, out=difference).sum(dtype=np.int64))
    return _decibels(total / sr.size)
