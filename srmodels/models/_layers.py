"""What several networks share: scales, enlarging stages, initialisation, the reach of a tile."""

from collections.abc import Callable

import torch
import torch.nn.functional as F
from torch import Tensor, nn

__all__ = [
    "RGB_MEAN",
    "SCALES",
    "EvenConv2d",
    "bicubic_reach",
    "check_counts",
    "check_scale",
    "conv",
    "icnr_",
    "kaiming_",
    "nearest_stage",
    "normal_",
    "reach_below",
    "shuffle_stage",
    "stage_factors",
]

SCALES = (2, 3, 4, 8)
RGB_MEAN = (0.4488, 0.4371, 0.4040)
"""The mean colour of DIV2K's training photographs, which EDSR and SwinIR subtract."""


def check_scale(scale: int) -> None:
    """Refuses a scale no enlarging tail of ours can do."""
    if scale not in SCALES:
        raise ValueError(f"scale must be one of {', '.join(map(str, SCALES))}")


def check_counts(settings: object, *names: str) -> None:
    """Refuses settings that count something (blocks, channels, ...) and are below one, by name."""
    for name in names:
        if getattr(settings, name) < 1:
            raise ValueError(f"{name} must be at least 1")


def stage_factors(scale: int) -> tuple[int, ...]:
    """The enlarging stages of a scale: 3 in one step, powers of two by repeated 2."""
    return (3,) if scale == 3 else (2,) * (scale.bit_length() - 1)


def conv(channels_in: int, channels_out: int, kernel: int = 3, *, stride: int = 1) -> nn.Conv2d:
    """A convolution with an odd kernel and zero padding, so that stride 1 keeps the size."""
    return nn.Conv2d(channels_in, channels_out, kernel, stride=stride, padding=kernel // 2)


@torch.no_grad()
def kaiming_(layer: nn.Conv2d | nn.Linear, *, gain: float = 1.0, slope: float = 0.0) -> None:
    """He et al. 2015 ("Delving Deep into Rectifiers"), eq. 15, times `gain`; the bias is 0.

    Args:
        layer: What is initialised.
        gain: 1 keeps the variance through a ReLU of this `slope`; less makes a branch start small.
        slope: The negative slope of the activation; 1 is none at all.
    """
    nn.init.kaiming_normal_(layer.weight, a=slope)
    layer.weight.mul_(gain)
    if layer.bias is not None:
        layer.bias.zero_()


def normal_(network: nn.Module, std: float) -> None:
    """Draws the weights of all convolutions from N(0, std), biases 0 (DCGAN, arXiv:1511.06434)."""
    for layer in network.modules():
        if isinstance(layer, nn.Conv2d):
            nn.init.normal_(layer.weight, std=std)
            if layer.bias is not None:
                nn.init.zeros_(layer.bias)


@torch.no_grad()
def icnr_(layer: nn.Conv2d, factor: int) -> None:
    """Makes the factor^2 pixels a PixelShuffle places side by side start out equal.

    Aitken et al. 2017, "Checkerboard artifact free sub-pixel convolution" (arXiv:1707.02937),
    section 3: the layer begins as nearest-neighbour enlarging after a convolution, so the first
    output has no checkerboard.
    """
    layer.weight.copy_(layer.weight[:: factor**2].repeat_interleave(factor**2, dim=0))


class EvenConv2d(nn.Conv2d):
    """The 3x3 convolution before a last PixelShuffle, which keeps flat areas flat.

    The factor^2 kernels whose pixels come to lie side by side are held to one common sum and one
    common bias, so a constant input gives a constant output: the condition of Sugawara et al. 2018,
    "Super-resolution using convolutional neural networks without any checkerboard artifacts"
    (arXiv:1806.02658), section 3, met here by shifting the kernels instead of filtering the output.
    ICNR only begins so; a discriminator soon leaves it.

    Args:
        channels: Feature maps of the input.
        colours: Of the picture; the layer has colours * factor^2 outputs.
        factor: Of the PixelShuffle.
    """

    def __init__(self, channels: int, colours: int, factor: int) -> None:
        super().__init__(channels, colours * factor**2, 3, padding=1)
        self.colours = colours

    def forward(self, features: Tensor) -> Tensor:
        """(N, channels, H, W) to (N, colours * factor^2, H, W)."""
        assert self.bias is not None, "built with one"
        sums = self.weight.sum((2, 3)).view(self.colours, -1, self.in_channels)
        excess = (sums - sums.mean(1, keepdim=True)).flatten(0, 1) / self.weight[0, 0].numel()
        bias = self.bias.view(self.colours, -1)
        bias = bias.mean(1, keepdim=True).expand_as(bias).flatten()
        return F.conv2d(features, self.weight - excess[..., None, None], bias, padding=1)


def shuffle_stage(
    channels: int, factor: int, activation: Callable[[], nn.Module]
) -> list[nn.Module]:
    """Convolution, PixelShuffle(factor), activation (Shi et al. 2016, arXiv:1609.05158, eq. 4)."""
    layer = conv(channels, channels * factor**2)
    kaiming_(layer)
    icnr_(layer, factor)
    return [layer, nn.PixelShuffle(factor), activation()]


def nearest_stage(
    channels: int, factor: int, activation: Callable[[], nn.Module]
) -> list[nn.Module]:
    """Nearest-neighbour enlarging, convolution, activation: cannot draw a checkerboard.

    Odena et al. 2016, "Deconvolution and checkerboard artifacts", doi:10.23915/distill.00003.
    """
    layer = conv(channels, channels)
    kaiming_(layer)
    return [nn.Upsample(scale_factor=factor, mode="nearest"), layer, activation()]


def reach_below(reach: int, factor: int) -> int:
    """How many pixels around a tile matter below an enlarging step when `reach` matter above it."""
    return -(-reach // factor)


def bicubic_reach(reach: int, scale: int) -> int:
    """The same through a bicubic enlargement, whose kernel takes two LR pixels on either side.

    HR pixel -reach lies at LR coordinate (0.5 - reach) / scale - 0.5; the kernel reaches from one
    below the pixel before it.
    """
    return 1 - (1 - 2 * reach - scale) // (2 * scale)
