"""PSNR, peak 255: on Y, as the field's tables have it, on RGB, and of LR (LR consistency).

LR consistency: Lugmayr, Danelljan, Timofte, "NTIRE 2021 learning the super-resolution space
challenge", CVPR workshops 2021, with this project's resize.
"""

import math

import numpy as np
import torch
from torch import Tensor

from srmodels.errors import ProtocolError
from srmodels.evaluation.metrics.luma import UNITS, Picture, inside, luma_pair
from srmodels.resize.images import downscale

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


def lr_consistency(sr: Picture, lr: Picture, *, scale: int) -> float:
    """PSNR-RGB in dB, no border, of uint8 (scale h, scale w, 3), reduced, and LR, (h, w, 3)."""
    (height, width), (lr_height, lr_width) = sr.shape[:2], lr.shape[:2]
    if (height, width) != (scale * lr_height, scale * lr_width):
        raise ProtocolError(
            f"SR is not {scale} times LR (got {width} x {height} and {lr_width} x {lr_height} "
            "pixels). Use weights of that scale."
        )
    return psnr_rgb(downscale(sr, scale), lr, border=0)
