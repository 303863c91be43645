"""EDSR: Enhanced Deep Residual Networks for Single Image Super-Resolution.

Lim et al. CVPR workshops 2017. https://arxiv.org/abs/1707.02921. The defaults are the baseline
(table 1: 16 blocks, 64 channels, 1.5 M parameters). The paper's EDSR has num_blocks 32, channels
256, residual_scale 0.1 (43 M parameters, batches of 16 crops of 48 LR pixels). Differences from the
public code:

- Images are in [0, 1], not [0, 255]; the mean is a constant, not a frozen 1x1 convolution.
- Initialisation: He et al. 2015 with small branches and ICNR (see `_layers`) instead of PyTorch's
  default. Section 3.3 starts x4 from a trained x2 network.
"""

from dataclasses import dataclass

import torch
from torch import Tensor, nn

from srmodels.models._layers import (
    RGB_MEAN,
    check_settings,
    conv,
    kaiming_,
    residual_block,
    tail_reach,
    upsampling_stages,
)
from srmodels.models._trunk_tail import TrunkTail

ROLE = "generator"
_GAIN = 0.1  # of the last layer of a branch, residual_scale included, and of the last layer


@dataclass(frozen=True, kw_only=True)
class Settings:
    """The baseline of table 1."""

    scale: int = 4
    num_blocks: int = 16  # residual blocks of the body
    channels: int = 64  # feature maps
    residual_scale: float = 1.0  # factor of every branch (section 3.1)

    def __post_init__(self) -> None:
        check_settings(self, "num_blocks", "channels")


class EDSR(TrunkTail):
    """Figure 3: head, residual blocks inside a long skip, PixelShuffle tail."""

    mean: Tensor

    def __init__(self, settings: Settings) -> None:
        super().__init__()
        channels, residual_scale = settings.channels, settings.residual_scale
        self.scale = settings.scale
        self.tail_padding = tail_reach(settings.scale, 1)
        self.trunk_padding = 2 + 2 * settings.num_blocks
        self.padding = self.trunk_padding + self.tail_padding
        self.head = conv(3, channels)
        body_end = conv(channels, channels)
        last = conv(channels, 3)
        for layer in (self.head, body_end):
            kaiming_(layer, slope=1)
        kaiming_(last, gain=_GAIN, slope=1)
        gain = min(1.0, _GAIN / residual_scale)
        blocks = (
            residual_block(channels, gain=gain, residual_scale=residual_scale)
            for _ in range(settings.num_blocks)
        )
        self.body = nn.Sequential(*blocks, body_end)
        stages = upsampling_stages(settings.scale, channels, nn.Identity)
        self.tail = nn.Sequential(*stages, last)
        mean = torch.tensor(RGB_MEAN).view(1, 3, 1, 1)
        self.register_buffer("mean", mean, persistent=False)

    def features_of(self, lr: Tensor) -> Tensor:
        """The trunk: (N, 3, H, W) in [0, 1] to (N, channels, H, W)."""
        features: Tensor = self.head(lr - self.mean)
        change: Tensor = self.body(features)
        return features + change

    def sr_of(self, features: Tensor, lr: Tensor) -> Tensor:
        """The tail: features (N, channels, H, W) and LR to SR."""
        picture: Tensor = self.tail(features)
        return picture.to(lr.dtype) + self.mean
