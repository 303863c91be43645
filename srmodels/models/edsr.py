"""EDSR: Enhanced Deep Residual Networks for Single Image Super-Resolution.

Bee Lim, Sanghyun Son, Heewon Kim, Seungjun Nah, Kyoung Mu Lee. CVPR workshops 2017.
https://arxiv.org/abs/1707.02921

The defaults are the paper's baseline (table 1: 16 blocks, 64 channels, 1.5 M parameters); the
paper's EDSR is num_blocks 32, channels 256, residual_scale 0.1 (43 M parameters, batch 16 of 48 LR
pixels).

Where this differs from the paper:

- The public code thinks in [0, 255] and holds the mean's subtraction and addition as frozen 1x1
  convolutions. Here images are [0, 1] and the mean is a constant, no parameter.
- Initialisation: He et al. 2015 with small branches and ICNR (see `_layers`), where the public code
  has PyTorch's default. Section 3.3 starts x4 from a trained x2 network instead.
"""

from dataclasses import dataclass

import torch
from torch import Tensor, nn

from srmodels.models._layers import (
    RGB_MEAN,
    check_counts,
    check_scale,
    conv,
    kaiming_,
    reach_below,
    shuffle_stage,
    stage_factors,
)

__all__ = ["EDSR", "ROLE", "Settings", "build"]

ROLE = "generator"
_SMALL = 0.1  # what the last layer of a branch, residual_scale included, is multiplied by at first


@dataclass(frozen=True, kw_only=True)
class Settings:
    """The baseline of table 1.

    Attributes:
        scale: How many times larger SR is.
        num_blocks: Residual blocks.
        channels: Feature maps throughout.
        residual_scale: What every branch is multiplied by before it is added (section 3.1).
    """

    scale: int = 4
    num_blocks: int = 16
    channels: int = 64
    residual_scale: float = 1.0

    def __post_init__(self) -> None:
        check_scale(self.scale)
        check_counts(self, "num_blocks", "channels")
        if not 0 < self.residual_scale <= 1:
            raise ValueError("residual_scale must be above 0 and at most 1")


class _Block(nn.Module):
    """Figure 2(c): convolution, ReLU, convolution; no BN, nothing after the addition."""

    def __init__(self, settings: Settings) -> None:
        super().__init__()
        self.residual_scale = settings.residual_scale
        first, last = (conv(settings.channels, settings.channels) for _ in range(2))
        kaiming_(first)
        kaiming_(last, gain=min(1.0, _SMALL / settings.residual_scale))
        self.branch = nn.Sequential(first, nn.ReLU(inplace=True), last)

    def forward(self, features: Tensor) -> Tensor:
        """(N, C, H, W) to the same."""
        changed: Tensor = self.branch(features)
        return features + self.residual_scale * changed


class EDSR(nn.Module):
    """Figure 3: head, residual blocks inside a long skip, PixelShuffle tail."""

    mean: Tensor

    def __init__(self, settings: Settings) -> None:
        super().__init__()
        channels, factors = settings.channels, stage_factors(settings.scale)
        self.scale = settings.scale
        self.multiple = 1
        self.head = conv(3, channels)
        after = conv(channels, channels)
        last = conv(channels, 3)
        for layer in (self.head, after):
            kaiming_(layer, slope=1)
        kaiming_(last, gain=_SMALL, slope=1)
        self.body = nn.Sequential(*(_Block(settings) for _ in range(settings.num_blocks)), after)
        stages = [layer for f in factors for layer in shuffle_stage(channels, f, nn.Identity)]
        self.tail = nn.Sequential(*stages, last)
        self.register_buffer("mean", torch.tensor(RGB_MEAN).view(1, 3, 1, 1), persistent=False)
        reach = 1
        for factor in reversed(factors):
            reach = reach_below(reach, factor) + 1
        self.tail_padding = reach
        self.trunk_padding = 2 + 2 * settings.num_blocks
        self.padding = self.trunk_padding + self.tail_padding

    def forward(self, lr: Tensor) -> Tensor:
        """(N, 3, H, W) in [0, 1] to (N, 3, scale * H, scale * W), not clamped."""
        return self.sr_of(self.features_of(lr), lr)

    def features_of(self, lr: Tensor) -> Tensor:
        """(N, 3, H, W) in [0, 1] to (N, channels, H, W): the trunk."""
        features: Tensor = self.head(lr - self.mean)
        changed: Tensor = self.body(features)
        return features + changed

    def sr_of(self, features: Tensor, lr: Tensor) -> Tensor:
        """Features (N, channels, H, W) and their LR to SR: the tail."""
        picture: Tensor = self.tail(features)
        return picture.to(lr.dtype) + self.mean


def build(settings: Settings) -> nn.Module:
    """A freshly initialised EDSR."""
    return EDSR(settings)
