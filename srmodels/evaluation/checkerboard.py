"""The pattern an enlarging layer leaves: energy that stands out at multiples of 1/scale cycles.

Odena, Dumoulin, Olah, "Deconvolution and checkerboard artifacts", Distill 2016,
doi:10.23915/distill.00003. A pattern that repeats every `scale` pixels has its energy exactly at
the frequencies (i / scale, j / scale), in cycles per pixel. So do edges and textures, but with as
much at the neighbouring frequencies. Counted is what stands out above these, in windows of eight
periods a side: a pattern whose sign changes from place to place does not cancel, and neither
sharpness nor noise passes for a pattern.
"""

from functools import cache

import torch
import torch.nn.functional as F
from torch import Tensor

from srmodels.evaluation.luma import UNITS, Picture, luma_pair

__all__ = ["checkerboard", "checkerboard_y"]

_PERIODS = 8  # in a window; then neighbouring grid frequencies lie eight bins apart
_NEIGHBOURS = (2, 3)  # bins away from a grid frequency; a Hann window spreads a line over +-1


@cache
def _masks(scale: int) -> tuple[Tensor, Tensor]:
    """Which bins of a window's spectrum are grid frequencies, and which are their neighbours."""
    bins = torch.arange(_PERIODS * scale)
    off = torch.minimum(bins % _PERIODS, -bins % _PERIODS)  # from the nearest grid frequency
    distance = torch.maximum(off[:, None], off)
    nearest = torch.div(bins + _PERIODS // 2, _PERIODS, rounding_mode="floor") % scale
    no_mean = (nearest[:, None] + nearest) > 0
    near = torch.isin(distance, torch.tensor(_NEIGHBOURS))
    return (distance == 0) & no_mean, near & no_mean


def _standing_out(plane: Tensor, scale: int) -> float:
    """Mean energy per window above the neighbourhood's, in squared grey levels."""
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
    """The pattern's energy in `sr` over that in `hr`, two planes as `luma_pair` returns them."""
    # What rounding to 8 bits alone puts there (variance 1/12 a bin); flat pictures are equal.
    floor = (scale**2 - 1) / 12
    return (_standing_out(sr, scale) + floor) / (_standing_out(hr, scale) + floor)


def checkerboard_y(sr: Picture, hr: Picture, *, scale: int) -> float:
    """Energy on Y that stands out at multiples of 1/scale cycles per pixel, SR over HR.

    Args:
        sr: uint8 (H, W, 3), RGB.
        hr: The same size.
        scale: Period of the pattern in pixels, and the border left out.

    Returns:
        1 for equal pictures, near 0 for a smooth enlargement; well above 1, a pattern is visible.

    Raises:
        ProtocolError: The sizes differ, or nothing is left inside the border.
    """
    return checkerboard(*luma_pair(sr, hr, border=scale), scale=scale)
