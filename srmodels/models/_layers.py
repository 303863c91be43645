"""Layers, initialisation, checks of settings and tile padding that several networks share."""

from collections.abc import Callable

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from srmodels.config import check_least
from srmodels.models._cpu_layers import PixelShuffle

SCALES = (2, 3, 4, 8)
RGB_MEAN = (0.4488, 0.4371, 0.4040)
"""Mean colour of DIV2K's training photographs, which EDSR and SwinIR subtract."""
BICUBIC_REACH = 2
"""LR pixels on each side that a bicubic enlargement reads."""


def check_settings(settings: object, *counts: str) -> None:
    """Checks the named counts and, where there are any, scale, edge_kernel and residual_scale."""
    if getattr(settings, "scale", 2) not in SCALES:
        raise ValueError(f"scale must be one of {', '.join(map(str, SCALES))}")
    check_least(settings, 1, *counts)
    if getattr(settings, "edge_kernel", 1) % 2 == 0:
        raise ValueError("edge_kernel must be odd")
    if not 0 < getattr(settings, "residual_scale", 1) <= 1:
        raise ValueError("residual_scale must be above 0 and at most 1")


def stage_factors(scale: int) -> tuple[int, ...]:
    """Factors of the upsampling stages: one stage of 3, or repeated stages of 2."""
    return (3,) if scale == 3 else (2,) * (scale.bit_length() - 1)


def conv(channels_in: int, channels_out: int, kernel: int = 3, *, stride: int = 1) -> nn.Conv2d:
    """A convolution with an odd kernel and "same" zero padding."""
    return nn.Conv2d(channels_in, channels_out, kernel, stride=stride, padding=kernel // 2)


@torch.no_grad()
def kaiming_(layer: nn.Conv2d | nn.Linear, *, gain: float = 1.0, slope: float = 0.0) -> None:
    """He et al. 2015, eq. 15, times `gain`; `slope` is the activation's (1: none); bias 0."""
    nn.init.kaiming_normal_(layer.weight, a=slope)
    layer.weight.mul_(gain)
    if layer.bias is not None:
        layer.bias.zero_()


def normal_(network: nn.Module, std: float) -> None:
    """Draws weights of all convolutions from N(0, std), biases 0 (DCGAN, arXiv:1511.06434)."""
    for layer in network.modules():
        if isinstance(layer, nn.Conv2d):
            nn.init.normal_(layer.weight, std=std)
            if layer.bias is not None:
                nn.init.zeros_(layer.bias)


@torch.no_grad()
def icnr_(layer: nn.Conv2d, factor: int) -> None:
    """Starts a PixelShuffle layer as nearest-neighbour upsampling (arXiv:1707.02937, section 3)."""
    layer.weight.copy_(layer.weight[:: factor**2].repeat_interleave(factor**2, dim=0))


class EvenConv2d(nn.Conv2d):
    """The 3x3 convolution before a last PixelShuffle, without checkerboard during all of training.

    The factor^2 kernels of a colour share one sum and one bias, so a constant input gives a
    constant output (Sugawara et al. 2018, arXiv:1806.02658, section 3). That paper filters the
    output; here the kernels are shifted. ICNR holds only at initialisation.
    """

    def __init__(self, channels: int, colours: int, factor: int) -> None:
        super().__init__(channels, colours * factor**2, 3, padding=1)
        self.colours = colours

    def even(self) -> tuple[Tensor, Tensor]:
        """Weight and bias of the convolution that this layer is."""
        assert self.bias is not None, "built with one"
        sums = self.weight.sum((2, 3)).view(self.colours, -1, self.in_channels)
        excess = (sums - sums.mean(1, keepdim=True)).flatten(0, 1) / self.weight[0, 0].numel()
        bias = self.bias.view(self.colours, -1)
        bias = bias.mean(1, keepdim=True).expand_as(bias).flatten()
        return self.weight - excess[..., None, None], bias

    def forward(self, features: Tensor) -> Tensor:
        """(N, channels, H, W) to (N, colours * factor^2, H, W)."""
        return F.conv2d(features, *self.even(), padding=1)


class Residual(nn.Module):
    """Adds layers, times `residual_scale`, to their input."""

    def __init__(self, *layers: nn.Module, residual_scale: float = 1.0) -> None:
        super().__init__()
        self.residual_scale = residual_scale
        self.branch = nn.Sequential(*layers)

    def forward(self, features: Tensor) -> Tensor:
        """(N, C, H, W) to the same."""
        change: Tensor = self.branch(features)
        return features + (change if self.residual_scale == 1 else self.residual_scale * change)


def residual_block(channels: int, *, gain: float = 1.0, residual_scale: float = 1.0) -> Residual:
    """Convolution, ReLU, convolution (EDSR, arXiv:1707.02921, figure 2(c)).

    `gain` is the factor of the last convolution's initial weights: small starts near the identity.
    """
    first, last = (conv(channels, channels) for _ in range(2))
    kaiming_(first)
    kaiming_(last, gain=gain)
    return Residual(first, nn.ReLU(inplace=True), last, residual_scale=residual_scale)


def shuffle_stage(
    channels_in: int, channels_out: int, factor: int, *after: nn.Module, gain: float = 1.0
) -> list[nn.Module]:
    """Convolution with ICNR, PixelShuffle (Shi et al. 2016, arXiv:1609.05158, eq. 4), `after`."""
    layer = conv(channels_in, channels_out * factor**2)
    kaiming_(layer, gain=gain)
    icnr_(layer, factor)
    return [layer, PixelShuffle(factor), *after]


def upsampling_stages(
    scale: int, channels: int, activation: Callable[[], nn.Module], *, nearest: bool = False
) -> list[nn.Module]:
    """Enlarges (N, channels, H, W) by `scale`, with an activation after each stage.

    A stage is a `shuffle_stage`, or nearest-neighbour upsampling and a convolution, which cannot
    draw a checkerboard (Odena et al. 2016, doi:10.23915/distill.00003).
    """
    layers: list[nn.Module] = []
    for factor in stage_factors(scale):
        if nearest:
            layer = conv(channels, channels)
            kaiming_(layer)
            layers += [nn.Upsample(scale_factor=factor, mode="nearest"), layer, activation()]
        else:
            layers += shuffle_stage(channels, channels, factor, activation())
    return layers


def tail_reach(scale: int, reach: int, *, nearest: bool = False) -> int:
    """LR pixels on each side that `upsampling_stages` and layers of `reach` HR pixels read."""
    for factor in reversed(stage_factors(scale)):
        reach = -(-(reach + nearest) // factor) + (not nearest)
    return reach
