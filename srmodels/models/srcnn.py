"""SRCNN: Image Super-Resolution Using Deep Convolutional Networks.

Chao Dong, Chen Change Loy, Kaiming He, Xiaoou Tang. IEEE TPAMI 2016 (first at ECCV 2014).
https://arxiv.org/abs/1501.00092

Where this differs from the paper:

- The bicubic enlargement, which the paper does beforehand, is inside, so that the network takes
  LR as every other one does. It is RGB (section 4.5 of the paper), not Y.
- The paper's convolutions shrink the picture. Here the enlarged picture is extended once, by its
  edge pixels, and the convolutions then shrink it back: as in the paper no convolution ever sees
  padding, and the picture has neither a dark frame nor a lost one. Edge pixels (not a reflection)
  because that works for a picture of one pixel too.
- The paper draws all weights from N(0, 0.001) and needs 8e8 backpropagations. Here three channels
  begin as a wire for R, G and B, the others as He et al. 2015, and the last layer's other weights
  from N(0, 0.001): the network starts as the bicubic enlargement and learns what is missing.
"""

from dataclasses import dataclass

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from srmodels.models._layers import bicubic_reach, check_scale, kaiming_
from srmodels.resize.tensors import enlarge

__all__ = ["ROLE", "SRCNN", "Settings", "build"]

ROLE = "generator"


@dataclass(frozen=True, kw_only=True)
class Settings:
    """The 9-1-5 network of the paper's section 4.1; 9-5-5 by `kernels` (section 4.3.2).

    Attributes:
        scale: How many times larger SR is.
        kernels: Sizes of the three convolutions, odd, in HR pixels.
        channels: Feature maps after the first and the second convolution; at least 3 each.
    """

    scale: int = 4
    kernels: tuple[int, int, int] = (9, 1, 5)
    channels: tuple[int, int] = (64, 32)

    def __post_init__(self) -> None:
        check_scale(self.scale)
        if any(kernel < 1 or kernel % 2 == 0 for kernel in self.kernels):
            raise ValueError("kernels must be odd and positive")
        if min(self.channels) < 3:
            raise ValueError("channels must be at least 3 (one for each of R, G, B)")


class SRCNN(nn.Module):
    """Patch extraction, non-linear mapping, reconstruction (figure 2; eqs. 1-3)."""

    def __init__(self, settings: Settings) -> None:
        super().__init__()
        first, second, third = settings.kernels
        self.scale = settings.scale
        self.multiple = 1
        self.extent = (first + second + third - 3) // 2  # HR pixels the convolutions shrink by
        self.padding = bicubic_reach(self.extent, settings.scale)
        self.extract = nn.Conv2d(3, settings.channels[0], first)
        self.map = nn.Conv2d(*settings.channels, second)
        self.reconstruct = nn.Conv2d(settings.channels[1], 3, third)
        for layer in (self.extract, self.map):
            kaiming_(layer)
            _wire_(layer)
        kaiming_(self.reconstruct)
        nn.init.normal_(self.reconstruct.weight, std=0.001)
        _wire_(self.reconstruct)

    def forward(self, lr: Tensor) -> Tensor:
        """(N, 3, H, W) in [0, 1] to (N, 3, scale * H, scale * W), not clamped."""
        images = F.pad(enlarge(lr, self.scale), (self.extent,) * 4, mode="replicate")
        features = F.relu(self.map(F.relu(self.extract(images))))
        sr: Tensor = self.reconstruct(features).to(lr.dtype)
        return sr


@torch.no_grad()
def _wire_(layer: nn.Conv2d) -> None:
    """Makes the first three outputs copies of the first three inputs (colours are not negative)."""
    middle = layer.kernel_size[0] // 2
    layer.weight[:3] = 0
    for channel in range(3):
        layer.weight[channel, channel, middle, middle] = 1


def build(settings: Settings) -> nn.Module:
    """A freshly initialised SRCNN."""
    return SRCNN(settings)
