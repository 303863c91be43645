"""CycleGAN's generator from HR to LR: a learned degradation.

Zhu, Park, Isola, Efros. ICCV 2017. https://arxiv.org/abs/1703.10593. Mirrors `cyclegan_up`, with
the same differences: strided convolutions before the residual blocks, no upsampling after them.
`residual: bicubic` adds the output to the bicubic reduction, so the network learns how real LR
differs from bicubic.
"""

from dataclasses import dataclass
from typing import Literal

import torch
from torch import Tensor, nn

from srmodels.models._layers import check_settings, conv, normal_, residual_block, stage_factors
from srmodels.resize.tensors import reduce

ROLE = "degrader"


@dataclass(frozen=True, kw_only=True)
class Settings:
    """The published network for x4."""

    scale: int = 4
    num_blocks: int = 2  # residual blocks of the body
    channels: int = 64  # of the first convolution; every strided stage doubles them
    edge_kernel: int = 7  # of the first and last convolution, odd
    residual: Literal["none", "bicubic"] = "none"  # as published, or added to bicubic

    def __post_init__(self) -> None:
        check_settings(self, "num_blocks", "channels", "edge_kernel")


class CycleGANDown(nn.Module):
    """7x7 convolution, 4x4 convolutions with stride 2, residual blocks, 7x7 convolution, tanh."""

    def __init__(self, settings: Settings) -> None:
        super().__init__()
        self.scale = settings.scale
        self.add_bicubic = settings.residual == "bicubic"
        channels = settings.channels
        layers: list[nn.Module] = [conv(3, channels, settings.edge_kernel), nn.ReLU(inplace=True)]
        for factor in stage_factors(settings.scale):
            # kernels two pixels wider than the stride overlap evenly
            layers.append(nn.Conv2d(channels, 2 * channels, factor + 2, factor, padding=1))
            layers.append(nn.ReLU(inplace=True))
            channels *= 2
        layers += [residual_block(channels) for _ in range(settings.num_blocks)]
        self.layers = nn.Sequential(*layers, conv(channels, 3, settings.edge_kernel))
        normal_(self, 0.02)  # appendix 7.1

    def forward(self, hr: Tensor) -> Tensor:
        """(N, 3, H, W) in [0, 1] to (N, 3, H / scale, W / scale), rounded down, not clamped."""
        picture = torch.tanh(self.layers(hr * 2 - 1).to(hr.dtype)) / 2
        return picture + (reduce(hr, self.scale) if self.add_bicubic else 0.5)
