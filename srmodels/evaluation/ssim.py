"""Structural similarity on Y: Wang, Bovik, Sheikh, Simoncelli, IEEE TIP 13(4), 2004, eq. 13.

Gaussian window (sigma 1.5, 11 taps), population covariance, data range 255, the mean over all
windows that lie wholly inside: scikit-image's `structural_similarity(gaussian_weights=True,
use_sample_covariance=False)` without its cost. Written in the sum and the difference of the two
pictures, four filters are enough instead of five, and so is float32: what is lost in the large sum
cancels between numerator and denominator, and the difference is small. Blocks of rows stay in the
processor's cache.
"""

from functools import cache

import torch
from torch import Tensor

from srmodels.errors import ProtocolError
from srmodels.evaluation.luma import UNITS, Picture, luma_pair

__all__ = ["WINDOW", "ssim", "ssim_y"]

WINDOW = 11
_SIGMA = 1.5
_REACH = WINDOW // 2
_C1, _C2 = (0.01 * 255) ** 2, (0.03 * 255) ** 2
_MIDDLE = 128.0  # subtracted from Y, so that float32's digits go to the differences
_ROWS = 32


@cache
def _taps() -> tuple[float, ...]:
    distance = torch.arange(-_REACH, _REACH + 1, dtype=torch.float64)
    weights = torch.exp(-0.5 * (distance / _SIGMA) ** 2)
    return tuple((weights / weights.sum()).tolist())


def _smoothed(planes: Tensor, axis: int) -> Tensor:
    """One pass of the window, ten values shorter along `axis`."""
    length = planes.shape[axis] - WINDOW + 1
    total = planes.narrow(axis, _REACH, length) * _taps()[_REACH]
    both = torch.empty_like(total)
    for shift in range(_REACH):  # the window is symmetric
        after = planes.narrow(axis, WINDOW - 1 - shift, length)
        torch.add(planes.narrow(axis, shift, length), after, out=both)
        total.add_(both, alpha=_taps()[shift])
    return total


def _similarity(block: Tensor) -> Tensor:
    """The sum of eq. 13 over a block's windows.

    With s = x + y and d = x - y, 2 cov(x, y) = (var s - var d) / 2, the sum of the variances is
    (var s + var d) / 2, and likewise for products of means.

    Args:
        block: (4, rows, W), smoothed: s - 2 _MIDDLE, d, and the squares of both.
    """
    mean_s, mean_d, square_s, square_d = block
    variance_s = square_s.addcmul_(mean_s, mean_s, value=-1)  # does not notice the shift
    variance_d = square_d.addcmul_(mean_d, mean_d, value=-1)
    mean_s, mean_d = mean_s.add_(2 * _MIDDLE).square_(), mean_d.square_()
    above = (mean_s - mean_d).add_(2 * _C1).mul_((variance_s - variance_d).add_(2 * _C2))
    below = mean_s.add_(mean_d).add_(2 * _C1).mul_(variance_s.add_(variance_d).add_(2 * _C2))
    similarity: Tensor = above.div_(below)
    return similarity.sum(dtype=torch.float64)


def ssim(sr: Tensor, hr: Tensor) -> float:
    """SSIM of two planes as `luma_pair` returns them, -1 to 1.

    Raises:
        ProtocolError: The planes are smaller than the window.
    """
    height, width = sr.shape
    if min(height, width) < WINDOW:
        raise ProtocolError(
            f"picture too small for SSIM (found {width} x {height} pixels inside the border); "
            f"both sides must be at least {WINDOW}"
        )
    total = torch.zeros((), dtype=torch.float64)
    for top in range(0, height - WINDOW + 1, _ROWS):
        rows = slice(top, top + _ROWS + WINDOW - 1)
        x, y = sr[rows], hr[rows]
        s = (x + y).to(torch.float32).div_(UNITS).add_(2 * (16 - _MIDDLE))
        d = (x - y).to(torch.float32).div_(UNITS)
        block = torch.stack([s, d, s.square(), d.square()])
        total += _similarity(_smoothed(_smoothed(block, 1), 2))
    return total.item() / ((height - WINDOW + 1) * (width - WINDOW + 1))


def ssim_y(sr: Picture, hr: Picture, *, border: int) -> float:
    """SSIM on Y.

    Args:
        sr: uint8 (H, W, 3), RGB.
        hr: The same size.
        border: Pixels left out on each side; the field's tables leave out `scale`.

    Returns:
        1 for equal pictures.

    Raises:
        ProtocolError: The sizes differ, or less than a window is left inside the border.
    """
    return ssim(*luma_pair(sr, hr, border=border))
