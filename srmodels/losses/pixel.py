"""Pixel losses: how far SR is from HR, pixel by pixel.

L1 and MSE as everywhere; Charbonnier: Wei-Sheng Lai, Jia-Bin Huang, Narendra Ahuja, Ming-Hsuan
Yang. Deep Laplacian Pyramid Networks for Fast and Accurate Super-Resolution. CVPR 2017.
https://arxiv.org/abs/1704.03915
"""

from collections.abc import Callable
from functools import partial
from typing import Literal

import torch
import torch.nn.functional as F
from torch import Tensor

__all__ = ["EPSILON", "PixelKind", "charbonnier", "l1", "mse", "pixel_loss"]

PixelKind = Literal["l1", "mse", "charbonnier"]
EPSILON = 1e-3  # as published


def _assert_same_shape(sr: Tensor, hr: Tensor) -> None:
    shapes = f"{tuple(sr.shape)} and {tuple(hr.shape)}"
    assert sr.shape == hr.shape, f"SR and HR have one shape (found {shapes})"


def l1(sr: Tensor, hr: Tensor) -> Tensor:
    """Mean absolute difference of (N, 3, H, W) and (N, 3, H, W), both in [0, 1]; a scalar."""
    _assert_same_shape(sr, hr)
    return F.l1_loss(sr, hr)


def mse(sr: Tensor, hr: Tensor) -> Tensor:
    """Mean squared difference of (N, 3, H, W) and (N, 3, H, W), both in [0, 1]; a scalar."""
    _assert_same_shape(sr, hr)
    return F.mse_loss(sr, hr)


def charbonnier(sr: Tensor, hr: Tensor, *, epsilon: float = EPSILON) -> Tensor:
    """Mean of sqrt(difference^2 + epsilon^2): L1 that is smooth at 0 (Lai et al. 2017, eq. 4).

    Differences below epsilon count by their square, as in MSE.
    """
    _assert_same_shape(sr, hr)
    return torch.sqrt((sr - hr).square() + epsilon**2).mean()


_LOSSES: dict[PixelKind, Callable[[Tensor, Tensor], Tensor]] = {
    "l1": l1,
    "mse": mse,
}


def pixel_loss(kind: PixelKind, *, epsilon: float = EPSILON) -> Callable[[Tensor, Tensor], Tensor]:
    """The loss of that name, a function of (sr, hr); epsilon is Charbonnier's."""
    return partial(charbonnier, epsilon=epsilon) if kind == "charbonnier" else _LOSSES[kind]
