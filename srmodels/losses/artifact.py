"""The artifact loss of locally discriminative learning (LDL): L1 where the error of SR is uneven.

Liang, Zeng, Zhang, CVPR 2022, https://arxiv.org/abs/2203.09195, section 3.2. The channels' sum, the
reflected border and the sample variances are those of the authors' code,
https://github.com/csjliang/LDL.
"""

import torch
import torch.nn.functional as F
from torch import Tensor

from srmodels.losses.pixel import assert_same_shape

WINDOW = 7  # pixels; the paper's n
ROOT = 5  # the paper's a


def _local_variance(images: Tensor) -> Tensor:
    """The variance in a window around each pixel, (N, 1, H, W) to the same.

    By means of values and squares, eight times faster on a CPU than `var` of unfolded windows;
    rounding is 1e-7 of the squares.
    """
    border = WINDOW // 2
    padded = F.pad(images, (border,) * 4, mode="reflect")
    mean, square = F.avg_pool2d(torch.cat((padded, padded.square()), 1), WINDOW, 1).chunk(2, 1)
    values = WINDOW**2
    return (square - mean.square()).clamp_min(0) * (values / (values - 1))


@torch.no_grad()
def artifact_map(sr: Tensor, hr: Tensor, average: Tensor) -> Tensor:
    """How likely each pixel of SR is an artifact: (N, 1, H, W), 0 or more, without a gradient.

    The residual, |SR - HR| summed over channels, varies more around artifacts than around details
    that are merely a little off. So a pixel has the residual's variance around it, times the fifth
    root of the variance over the whole image; or 0 where the residual is smaller than that of
    `average`, the SR of the averaged generator. All three are (N, 3, H, W) in [0, 1], with sides
    of 4 pixels or more.
    """
    assert_same_shape(sr, hr)
    assert_same_shape(average, hr)
    residual = (sr - hr).abs().sum(1, keepdim=True)
    residual_of_average = (average - hr).abs().sum(1, keepdim=True)
    spread = residual.var((1, 2, 3), keepdim=True) ** (1 / ROOT)
    return (spread * _local_variance(residual)).where(residual >= residual_of_average, 0)


def artifact_loss(sr: Tensor, hr: Tensor, average: Tensor) -> Tensor:
    """Mean absolute difference of SR and HR, each multiplied by `artifact_map`; a scalar.

    The residual's variance is small: of a pretrained generator this is about a hundredth of L1.
    """
    return (artifact_map(sr, hr, average) * (sr - hr).abs()).mean()
