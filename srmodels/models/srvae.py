"""SRVAE: a conditional VAE around a residual super-resolution network.

Conditional VAE with a learned prior: Kihyuk Sohn, Xinchen Yan, Honglak Lee. Learning Structured
Output Representation using Deep Conditional Generative Models. NIPS 2015, section 4.1. The name is
after Ioannis Gatopoulos, Maarten Stol, Jakub Tomczak. Super-resolution Variational Auto-Encoders.
2020. https://arxiv.org/abs/2006.05218, which models LR and HR jointly, with flows; this does not.

The latent z has `latent_channels` numbers a LR pixel, so everything is a convolution: any size
works, and a padded tile equals the whole picture.

- Posterior q(z | LR, HR): three convolutions on the enlarged LR and HR, stacked and folded to LR's
  size by a PixelUnshuffle.
- Prior p(z | LR): three convolutions on LR.
- Generator: residual blocks without BN (EDSR, https://arxiv.org/abs/1707.02921) on LR's features
  plus z's, PixelShuffle tail, added to the bicubic enlargement. No skip leads around z but that one
  and the trunk's own.
"""

from dataclasses import dataclass
from typing import Literal

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from srmodels.models._latent import Gaussian, LatentNetwork, gaussian
from srmodels.models._layers import (
    bicubic_reach,
    check_counts,
    check_scale,
    conv,
    icnr_,
    kaiming_,
    reach_below,
    shuffle_stage,
    stage_factors,
)
from srmodels.models._residual import ResidualBlock
from srmodels.resize.tensors import enlarge

__all__ = ["ROLE", "SRVAE", "Settings", "build"]

ROLE = "generator"
LATENT = True
_SLOPE = 0.2
_SMALL = 0.1  # what the last layer of a branch is multiplied by at the start
_ENCODER_REACH = 3


@dataclass(frozen=True, kw_only=True)
class Settings:
    """A network of SRResNet's size.

    Attributes:
        scale: How many times larger SR is.
        num_blocks: Residual blocks of the trunk.
        channels: Feature maps throughout.
        latent_channels: Numbers of the latent for each LR pixel.
        upsampler: "pixelshuffle" (convolution, PixelShuffle, ReLU per stage, then a last
            convolution) or "direct" (one convolution, one PixelShuffle).
    """

    scale: int = 4
    num_blocks: int = 16
    channels: int = 64
    latent_channels: int = 8
    upsampler: Literal["pixelshuffle", "direct"] = "pixelshuffle"

    def __post_init__(self) -> None:
        check_scale(self.scale)
        check_counts(self, "num_blocks", "channels", "latent_channels")


def _encoder(channels_in: int, settings: Settings, *, gain: float = 1.0) -> nn.Sequential:
    """Pictures at LR's size to the moments of a latent; a small gain begins near N(0, 1)."""
    channels = settings.channels
    first, second = conv(channels_in, channels), conv(channels, channels)
    last = conv(channels, 2 * settings.latent_channels)
    for layer in (first, second):
        kaiming_(layer, slope=_SLOPE)
    kaiming_(last, gain=gain, slope=1)
    activated = [first, nn.LeakyReLU(_SLOPE, inplace=True), second]
    return nn.Sequential(*activated, nn.LeakyReLU(_SLOPE, inplace=True), last)


def _tail(settings: Settings) -> nn.Sequential:
    """Features (N, C, H, W) to a picture (N, 3, scale * H, scale * W)."""
    if settings.upsampler == "direct":
        last = conv(settings.channels, 3 * settings.scale**2)
        kaiming_(last, gain=_SMALL)
        icnr_(last, settings.scale)
        return nn.Sequential(last, nn.PixelShuffle(settings.scale))
    last = conv(settings.channels, 3)
    kaiming_(last, gain=_SMALL)
    stages = [
        layer
        for factor in stage_factors(settings.scale)
        for layer in shuffle_stage(settings.channels, factor, nn.ReLU)
    ]
    return nn.Sequential(*stages, last)


def _reach(settings: Settings) -> int:
    """LR pixels on either side of a tile that its output depends on."""
    reach = 1
    if settings.upsampler == "pixelshuffle":
        for factor in reversed(stage_factors(settings.scale)):
            reach = reach_below(reach, factor) + 1
    reach += 2 * settings.num_blocks + _ENCODER_REACH
    return max(reach, bicubic_reach(0, settings.scale))


class SRVAE(LatentNetwork):
    """Posterior, prior and generator; only the last two are needed once it is trained."""

    def __init__(self, settings: Settings) -> None:
        super().__init__()
        channels = settings.channels
        self.scale = settings.scale
        self.padding = _reach(settings)
        self.multiple = 1
        # the posterior's means must stand out from its noise at once, or the generator learns to
        # look past z before there is anything in it
        self.posterior = _encoder(6 * settings.scale**2, settings)
        self.prior = _encoder(3, settings, gain=_SMALL)
        self.head = conv(3, channels)
        self.inject = conv(settings.latent_channels, channels, 1)
        for layer in (self.head, self.inject):
            kaiming_(layer, slope=1)
        blocks = [ResidualBlock(channels, gain=_SMALL) for _ in range(settings.num_blocks)]
        self.body = nn.Sequential(*blocks)
        self.tail = _tail(settings)

    def prior_of(self, lr: Tensor) -> tuple[Gaussian, list[Tensor]]:
        """(N, latent_channels, H, W) each of mean and log variance, and the head's features."""
        return gaussian(self.prior(lr - 0.5).to(lr.dtype)), [self.head(lr - 0.5)]

    def posterior_of(self, lr: Tensor, hr: Tensor) -> Gaussian:
        """The same shape, given HR too."""
        seen = torch.cat([enlarge(lr, self.scale), hr], dim=1) - 0.5
        return gaussian(self.posterior(F.pixel_unshuffle(seen, self.scale)).to(lr.dtype))

    def generated(self, lr: Tensor, z: Tensor, features: list[Tensor]) -> Tensor:
        """LR (N, 3, H, W) and z (N, latent_channels, H, W) to SR, not clamped."""
        picture: Tensor = self.tail(self.body(features[0] + self.inject(z)))
        return picture.to(lr.dtype) + enlarge(lr, self.scale)


def build(settings: Settings) -> nn.Module:
    """A freshly initialised SRVAE."""
    return SRVAE(settings)
