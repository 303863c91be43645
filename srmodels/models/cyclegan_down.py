"""CycleGAN's generator from HR to LR: a learned degradation.

Jun-Yan Zhu, Taesung Park, Phillip Isola, Alexei Efros. Unpaired Image-to-Image Translation using
Cycle-Consistent Adversarial Networks. ICCV 2017. https://arxiv.org/abs/1703.10593

It mirrors `cyclegan_up`: strided convolutions in front of the residual blocks, nothing after them.
Where it differs from the paper: as there (no instance normalisation, zero padding, [0, 1] outside).
`residual: bicubic` adds the output to the bicubic reduction; what is then learnt is how real LR
differs from that.
"""

from dataclasses import dataclass
from typing import Literal

import torch
from torch import Tensor, nn

from srmodels.models._layers import check_counts, check_scale, conv, normal_, stage_factors
from srmodels.models._residual import ResidualBlock
from srmodels.resize.tensors import reduce

__all__ = ["ROLE", "CycleGANDown", "Settings", "build"]

ROLE = "degrader"


@dataclass(frozen=True, kw_only=True)
class Settings:
    """The published network for x4.

    Attributes:
        scale: How many times smaller LR is.
        num_blocks: Residual blocks.
        channels: Feature maps after the first convolution; doubled by each stage that shrinks.
        edge_kernel: Size of the first and the last convolution, odd.
        residual: "bicubic" adds the output to the bicubic reduction; "none" is the published one.
    """

    scale: int = 4
    num_blocks: int = 2
    channels: int = 64
    edge_kernel: int = 7
    residual: Literal["none", "bicubic"] = "none"

    def __post_init__(self) -> None:
        check_scale(self.scale)
        check_counts(self, "num_blocks", "channels", "edge_kernel")
        if self.edge_kernel % 2 == 0:
            raise ValueError("edge_kernel must be odd")


class CycleGANDown(nn.Module):
    """7x7 convolution, 4x4 convolutions with stride 2, residual blocks, 7x7 convolution, tanh."""

    def __init__(self, settings: Settings) -> None:
        super().__init__()
        self.scale = settings.scale
        self.add_bicubic = settings.residual == "bicubic"
        channels = settings.channels
        layers: list[nn.Module] = [conv(3, channels, settings.edge_kernel), nn.ReLU(inplace=True)]
        for factor in stage_factors(settings.scale):
            # two pixels wider than the stride: neighbouring outputs overlap, sizes divide evenly
            layers.append(nn.Conv2d(channels, 2 * channels, factor + 2, factor, padding=1))
            layers.append(nn.ReLU(inplace=True))
            channels *= 2
        blocks = [ResidualBlock(channels) for _ in range(settings.num_blocks)]
        self.layers = nn.Sequential(*layers, *blocks, conv(channels, 3, settings.edge_kernel))
        normal_(self, 0.02)  # appendix 7.1

    def forward(self, hr: Tensor) -> Tensor:
        """(N, 3, H, W) in [0, 1] to (N, 3, H / scale, W / scale), not clamped.

        H and W are multiples of `scale`; without the bicubic residual others are rounded down.
        """
        picture = torch.tanh(self.layers(hr * 2 - 1).to(hr.dtype)) / 2
        return picture + (reduce(hr, self.scale) if self.add_bicubic else 0.5)


def build(settings: Settings) -> nn.Module:
    """A freshly initialised degrader."""
    return CycleGANDown(settings)
