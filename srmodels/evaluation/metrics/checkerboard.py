"""Checkerboard artefacts: spectral energy that stands out at multiples of 1/scale cycles per pixel.

Odena, Dumoulin, Olah, "Deconvolution and checkerboard artifacts", Distill 2016,
doi:10.23915/distill.00003. A pattern that repeats every `scale` pixels has its energy exactly at
the frequencies (i / scale, j / scale); edges, textures and noise have as much at the neighbouring
ones, which are subtracted. Windows of eight periods keep patterns of changing sign from cancelling.
"""

from functools import cache

import torch
import torch.nn.functional as F
from torch import Tensor

from srmodels.evaluation.metrics.luma import UNITS

_PERIODS = 8  # in a window, so that grid frequencies are eight bins apart
_NEIGHBOURS = (2, 3)  # bins away from a grid frequency; a Hann window spreads a line over +-1


@cache
def _masks(scale: int) -> tuple[Tensor, Tensor]:
    """The bins of a window's spectrum that are grid frequencies, and those beside them."""
    bins = torch.arange(_PERIODS * scale)
    off = torch.minimum(bins % _PERIODS, -bins % _PERIODS)  # from the nearest grid frequency
    distance = torch.maximum(off[:, None], off)
    nearest = torch.div(bins + _PERIODS // 2, _PERIODS, rounding_mode="floor") % scale
    no_mean = (nearest[:, None] + nearest) > 0
    near = torch.isin(distance, torch.tensor(_NEIGHBOURS))
    return (distance == 0) & no_mean, near & no_mean


def _grid_energy(plane: Tensor, scale: int) -> float:
    """Mean energy per window above that of the neighbours, in squared grey levels."""
    side = _PERIODS * scale
    y = plane.float() / UNITS
    missing = [max(0, side - size) for size in y.shape]
    y = F.pad(y[None, None], (0, missing[1], 0, missing[0]), mode="replicate")[0, 0]
    windows = y.unfold(0, side, side // 2).unfold(1, side, side // 2)
    taper = torch.hann_window(side, periodic=True)
    taper = taper / taper.square().sum().sqrt()
    grid, near = _masks(scale)
    total = 0.0
    for row in windows:
        power = torch.fft.fft2(row * taper[:, None] * taper).abs().square()
        excess = power[:, grid].sum(-1) - grid.sum() * power[:, near].mean(-1)
        total += float(excess.clamp(min=0).sum())
    return total / (windows.shape[0] * windows.shape[1])


def checkerboard(sr: Tensor, hr: Tensor, *, scale: int) -> float:
    """Energy in `sr` over `hr`, planes of `luma_pair`: 0 is smooth, 1 as HR, more is a pattern."""
    # the energy of rounding to 8 bits (variance 1/12 per bin), so that flat pictures are equal
    floor = (scale**2 - 1) / 12
    return (_grid_energy(sr, scale) + floor) / (_grid_energy(hr, scale) + floor)
