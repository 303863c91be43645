"""Pixel losses of SR and HR, (N, 3, H, W) both in [0, 1]; each returns a scalar.

Charbonnier: Lai, Huang, Ahuja, Yang, CVPR 2017, https://arxiv.org/abs/1704.03915.
"""

from collections.abc import Callable
from functools import partial
from typing import Literal

import torch
import torch.nn.functional as F
from torch import Tensor

PixelKind = Literal["l1", "mse", "charbonnier"]
EPSILON = 1e-3  # as published
_WEIGHTS = (0.299, 0.587, 0.114)  # of R, G, B


def assert_same_shape(sr: Tensor, hr: Tensor) -> None:
    """Fails where broadcasting would hide a mistake."""
    shapes = f"{tuple(sr.shape)} and {tuple(hr.shape)}"
    assert sr.shape == hr.shape, f"SR and HR have one shape (got {shapes})"


def l1(sr: Tensor, hr: Tensor) -> Tensor:
    """Mean absolute difference."""
    assert_same_shape(sr, hr)
    return F.l1_loss(sr, hr)


def mse(sr: Tensor, hr: Tensor) -> Tensor:
    """Mean squared difference."""
    assert_same_shape(sr, hr)
    return F.mse_loss(sr, hr)


def charbonnier(sr: Tensor, hr: Tensor, *, epsilon: float = EPSILON) -> Tensor:
    """Mean of sqrt(difference^2 + epsilon^2): L1 that is smooth at 0 (Lai et al. 2017, eq. 4)."""
    assert_same_shape(sr, hr)
    return torch.sqrt((sr - hr).square() + epsilon**2).mean()


def brightness(images: Tensor) -> Tensor:
    """(N, 3, H, W) to (N, 1, H, W), same range: full-range luma, ITU-R BT.601-7, section 2.5.1."""
    weights = images.new_tensor(_WEIGHTS).view(1, 3, 1, 1)
    return (images * weights).sum(1, keepdim=True)


def pixel_loss(
    kind: PixelKind, *, epsilon: float = EPSILON, luma: float = 0.0
) -> Callable[[Tensor, Tensor], Tensor]:
    """The loss of that name, of (sr, hr); `luma` is the share that compares brightness alone."""
    losses: dict[PixelKind, Callable[[Tensor, Tensor], Tensor]] = {
        "l1": l1,
        "mse": mse,
        "charbonnier": partial(charbonnier, epsilon=epsilon),
    }
    distance = losses[kind]
    if not luma:
        return distance

    def mixed(sr: Tensor, hr: Tensor) -> Tensor:
        return luma * distance(brightness(sr), brightness(hr)) + (1 - luma) * distance(sr, hr)

    return mixed
