"""CycleGAN's generator from LR to HR, for super-resolution without pairs.

Zhu, Park, Isola, Efros. ICCV 2017. https://arxiv.org/abs/1703.10593. Differences from the paper's
translator (section 4, appendix 7.2):

- As in published re-implementations for super-resolution, no strides before the residual blocks and
  PixelShuffle stages, which start with ICNR, after them.
- No instance normalisation, which makes a pixel depend on the whole picture.
- Zero padding instead of reflection, so that a picture of one pixel works.
- Images are in [0, 1]; the network works in [-1, 1] inside.
- `residual: bicubic` adds the output to the bicubic enlargement, for short trainings.
"""

from dataclasses import dataclass
from itertools import pairwise
from typing import Literal

import torch
from torch import Tensor, nn

from srmodels.models._layers import (
    BICUBIC_REACH,
    check_settings,
    conv,
    icnr_,
    normal_,
    residual_block,
    tail_reach,
    upsampling_stages,
)
from srmodels.models._trunk_tail import TrunkTail
from srmodels.resize.tensors import enlarge

ROLE = "generator"


@dataclass(frozen=True, kw_only=True)
class Settings:
    """The published network for x4."""

    scale: int = 4
    num_blocks: int = 6  # residual blocks of the body
    channels: int = 64  # feature maps
    edge_kernel: int = 7  # of the first and last convolution, odd
    residual: Literal["none", "bicubic"] = "none"  # as published, or added to bicubic

    def __post_init__(self) -> None:
        check_settings(self, "num_blocks", "channels", "edge_kernel")


class CycleGANUp(TrunkTail):
    """7x7 convolution, residual blocks, PixelShuffle stages, 7x7 convolution, tanh."""

    def __init__(self, settings: Settings) -> None:
        super().__init__()
        channels, kernel = settings.channels, settings.edge_kernel
        self.scale = settings.scale
        tail = tail_reach(settings.scale, kernel // 2)
        self.trunk_padding = 2 * settings.num_blocks + kernel // 2
        self.tail_padding = max(tail, BICUBIC_REACH)
        self.padding = self.trunk_padding + tail
        self.add_bicubic = settings.residual == "bicubic"
        self.trunk_layers = 2 + settings.num_blocks
        stages = upsampling_stages(settings.scale, channels, nn.ReLU)
        self.layers = nn.Sequential(
            conv(3, channels, kernel),
            nn.ReLU(inplace=True),
            *(residual_block(channels) for _ in range(settings.num_blocks)),
            *stages,
            conv(channels, 3, kernel),
        )
        normal_(self, 0.02)  # appendix 7.1
        for layer, after in pairwise(self.layers):
            if isinstance(after, nn.PixelShuffle):
                assert isinstance(layer, nn.Conv2d), "a PixelShuffle follows a convolution"
                icnr_(layer, after.upscale_factor)

    def features_of(self, lr: Tensor) -> Tensor:
        """The trunk: (N, 3, H, W) in [0, 1] to (N, channels, H, W)."""
        features = lr * 2 - 1
        for layer in self.layers[: self.trunk_layers]:
            features = layer(features)
        return features

    def sr_of(self, features: Tensor, lr: Tensor) -> Tensor:
        """The tail: features (N, channels, H, W) and LR to SR."""
        for layer in self.layers[self.trunk_layers :]:
            features = layer(features)
        picture = torch.tanh(features.to(lr.dtype)) / 2
        return picture + (enlarge(lr, self.scale) if self.add_bicubic else 0.5)
