"""SSIM on Y: Wang, Bovik, Sheikh, Simoncelli, IEEE TIP 13(4), 2004, eq. 13.

Gaussian window (sigma 1.5, 11 taps), population covariance, data range 255, the mean over all
windows inside the picture, as scikit-image's `structural_similarity(gaussian_weights=True,
use_sample_covariance=False)`, several times faster: the sum and the difference of the pictures
need four filters instead of five, and only float32; a product with a banded matrix filters faster
than a convolution; blocks of rows stay in the processor's cache.
"""

from functools import cache

import torch
import torch.nn.functional as F
from torch import Tensor

from srmodels.errors import ProtocolError
from srmodels.evaluation.metrics.luma import UNITS, Picture, luma_pair

WINDOW = 11
_SIGMA = 1.5
_REACH = WINDOW // 2
_C1, _C2 = (0.01 * 255) ** 2, (0.03 * 255) ** 2
_MIDDLE = 128.0  # subtracted from Y, which leaves more of float32's digits
_ROWS, _COLUMNS = 32, 32  # smoothed at a time: more are more zeros, fewer are more calls


@cache
def _window(length: int) -> Tensor:
    """The filter as a matrix, (length, length + 10)."""
    distance = torch.arange(-_REACH, _REACH + 1, dtype=torch.float64)
    taps = torch.exp(-0.5 * (distance / _SIGMA) ** 2)
    rows = [F.pad(taps, (before, length - 1 - before)) for before in range(length)]
    return (torch.stack(rows) / taps.sum()).float()


def _smooth(planes: Tensor) -> list[Tensor]:
    """Filters (4, H, W) down and across to pieces (4, ...) of H - 10 by W - 10 values in all."""
    count, height, width = planes.shape[0], planes.shape[1] - 2 * _REACH, planes.shape[2]
    down = torch.empty(count, height, width)
    torch.matmul(_window(height), planes, out=down)  # with `out`, autocast leaves it alone
    groups, rest = divmod(width - 2 * _REACH, _COLUMNS)
    pieces = []
    if groups:
        shape, step = (groups, count * height, _COLUMNS + 2 * _REACH), (_COLUMNS, width, 1)
        across = torch.empty(groups, count * height, _COLUMNS)
        weights = _window(_COLUMNS).T.expand(groups, -1, -1)
        torch.bmm(down.as_strided(shape, step), weights, out=across)
        pieces.append(across.view(groups, count, height, _COLUMNS).transpose(0, 1))
    if rest:
        across = torch.empty(count, height, rest)
        torch.matmul(down[..., groups * _COLUMNS :], _window(rest).T, out=across)
        pieces.append(across)
    return pieces


def _similarity(block: Tensor) -> Tensor:
    """The sum of eq. 13 over a block's windows; (4, ...), smoothed: s - 2 _MIDDLE, d, both squared.

    With s = x + y and d = x - y, 2 cov(x, y) = (var s - var d) / 2, the sum of the variances is
    (var s + var d) / 2, and likewise for products of means.
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
    """SSIM of two planes of `luma_pair`, -1 to 1; a ProtocolError below the window's size."""
    height, width = sr.shape
    if min(height, width) < WINDOW:
        raise ProtocolError(
            f"picture too small for SSIM (got {width} x {height} pixels inside the border). Use "
            f"{WINDOW} or more on both sides."
        )
    total = torch.zeros((), dtype=torch.float64)
    for top in range(0, height - WINDOW + 1, _ROWS):
        rows = slice(top, top + _ROWS + WINDOW - 1)
        x, y = sr[rows], hr[rows]
        s = (x + y).to(torch.float32).div_(UNITS).add_(2 * (16 - _MIDDLE))
        d = (x - y).to(torch.float32).div_(UNITS)
        block = torch.stack([s, d, s.square(), d.square()])
        for piece in _smooth(block):
            total += _similarity(piece)
    return total.item() / ((height - WINDOW + 1) * (width - WINDOW + 1))


def ssim_y(sr: Picture, hr: Picture, *, border: int) -> float:
    """SSIM on Y; takes and raises what `inside` does. The field's tables cut `scale`."""
    return ssim(*luma_pair(sr, hr, border=border))
