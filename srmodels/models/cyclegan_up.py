"""CycleGAN's generator from LR to HR, for super-resolution without pairs.

Jun-Yan Zhu, Taesung Park, Phillip Isola, Alexei Efros. Unpaired Image-to-Image Translation using
Cycle-Consistent Adversarial Networks. ICCV 2017. https://arxiv.org/abs/1703.10593

The paper's translator keeps the picture's size (section 4, appendix 7.2). This one, as published
re-implementations for super-resolution have it, has the same edges (7x7, tanh) and residual blocks,
no strides in front of the blocks, and two PixelShuffle stages after them.

Where this differs from the paper:

- No instance normalisation, which would make a pixel depend on the whole picture.
- Zero padding in place of reflection, so that a picture of one pixel works too.
- Images are [0, 1]; the network brings them to [-1, 1] and back inside.
- PixelShuffle layers begin with ICNR (see `_layers`).
- `residual: bicubic` adds the output to the bicubic enlargement, as SRResNet's setting does here,
  so that a short training has something to start from.
"""

from dataclasses import dataclass
from typing import Literal

import torch
from torch import Tensor, nn

from srmodels.models._layers import (
    bicubic_reach,
    check_counts,
    check_scale,
    conv,
    icnr_,
    normal_,
    reach_below,
    shuffle_stage,
    stage_factors,
)
from srmodels.models._residual import ResidualBlock
from srmodels.resize.tensors import enlarge

__all__ = ["ROLE", "CycleGANUp", "Settings", "build"]

ROLE = "generator"


@dataclass(frozen=True, kw_only=True)
class Settings:
    """The published network for x4.

    Attributes:
        scale: How many times larger SR is.
        num_blocks: Residual blocks.
        channels: Feature maps throughout.
        edge_kernel: Size of the first and the last convolution, odd.
        residual: "bicubic" adds the output to the bicubic enlargement; "none" is the published one.
    """

    scale: int = 4
    num_blocks: int = 6
    channels: int = 64
    edge_kernel: int = 7
    residual: Literal["none", "bicubic"] = "none"

    def __post_init__(self) -> None:
        check_scale(self.scale)
        check_counts(self, "num_blocks", "channels", "edge_kernel")
        if self.edge_kernel % 2 == 0:
            raise ValueError("edge_kernel must be odd")


def _tail_reach(settings: Settings) -> int:
    """LR pixels on either side of a tile's features that its output depends on."""
    reach = settings.edge_kernel // 2
    for factor in reversed(stage_factors(settings.scale)):
        reach = reach_below(reach, factor) + 1
    return reach


class CycleGANUp(nn.Module):
    """7x7 convolution, residual blocks, PixelShuffle stages, 7x7 convolution, tanh."""

    def __init__(self, settings: Settings) -> None:
        super().__init__()
        channels = settings.channels
        self.scale = settings.scale
        self.trunk_padding = 2 * settings.num_blocks + settings.edge_kernel // 2
        reach, bicubic = _tail_reach(settings), bicubic_reach(0, settings.scale)
        self.tail_padding = max(reach, bicubic)
        self.padding = max(self.trunk_padding + reach, bicubic)
        self.multiple = 1
        self.add_bicubic = settings.residual == "bicubic"
        stages = [
            layer
            for factor in stage_factors(settings.scale)
            for layer in shuffle_stage(channels, factor, nn.ReLU)
        ]
        self.trunk_layers = 2 + settings.num_blocks
        self.layers = nn.Sequential(
            conv(3, channels, settings.edge_kernel),
            nn.ReLU(inplace=True),
            *(ResidualBlock(channels) for _ in range(settings.num_blocks)),
            *stages,
            conv(channels, 3, settings.edge_kernel),
        )
        normal_(self, 0.02)  # appendix 7.1
        for layer, after in zip(self.layers, self.layers[1:], strict=False):
            if isinstance(after, nn.PixelShuffle):
                assert isinstance(layer, nn.Conv2d), "a PixelShuffle follows a convolution"
                icnr_(layer, after.upscale_factor)

    def forward(self, lr: Tensor) -> Tensor:
        """(N, 3, H, W) in [0, 1] to (N, 3, scale * H, scale * W), not clamped."""
        return self.sr_of(self.features_of(lr), lr)

    def features_of(self, lr: Tensor) -> Tensor:
        """(N, 3, H, W) in [0, 1] to (N, channels, H, W): the trunk."""
        features = lr * 2 - 1
        for layer in self.layers[: self.trunk_layers]:
            features = layer(features)
        return features

    def sr_of(self, features: Tensor, lr: Tensor) -> Tensor:
        """Features (N, channels, H, W) and their LR to SR: the tail."""
        for layer in self.layers[self.trunk_layers :]:
            features = layer(features)
        picture = torch.tanh(features.to(lr.dtype)) / 2
        return picture + (enlarge(lr, self.scale) if self.add_bicubic else 0.5)


def build(settings: Settings) -> nn.Module:
    """A freshly initialised generator."""
    return CycleGANUp(settings)
