"""SRVAE: a conditional VAE around a residual super-resolution network.

Sohn, Lee, Yan. Learning Structured Output Representation using Deep Conditional Generative Models.
NIPS 2015, section 4.1 (learned prior). The name comes from Gatopoulos et al. Super-resolution
Variational Auto-Encoders. 2020. https://arxiv.org/abs/2006.05218, which models LR and HR jointly
with flows. The latent z has `latent_channels` numbers per LR pixel, so any size works, and a padded
tile equals the whole picture.

- Posterior q(z | LR, HR): three convolutions on enlarged LR and HR, folded to LR's size.
- Prior p(z | LR): three convolutions on LR.
- Decoder: residual blocks without BN (EDSR, https://arxiv.org/abs/1707.02921) on LR's features plus
  z's, a PixelShuffle tail, and the bicubic enlargement added: the only skip around z.
"""

from dataclasses import dataclass
from typing import Literal

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from srmodels.models._latent import Gaussian, LatentNetwork, gaussian
from srmodels.models._layers import (
    check_settings,
    conv,
    kaiming_,
    residual_block,
    shuffle_stage,
    tail_reach,
    upsampling_stages,
)
from srmodels.resize.tensors import enlarge

ROLE = "generator"
LATENT = True
_SLOPE = 0.2
_GAIN = 0.1  # of the last layer of every branch at the start
_ENCODER_REACH = 3


@dataclass(frozen=True, kw_only=True)
class Settings:
    """A network of SRResNet's size."""

    scale: int = 4
    num_blocks: int = 16  # of the decoder
    channels: int = 64  # feature maps
    latent_channels: int = 8  # per LR pixel
    upsampler: Literal["pixelshuffle", "direct"] = "pixelshuffle"

    def __post_init__(self) -> None:
        check_settings(self, "num_blocks", "channels", "latent_channels")


def _encoder(channels_in: int, settings: Settings, *, gain: float = 1.0) -> nn.Sequential:
    """Pictures at LR's size to moments of the latent; a small gain starts near N(0, 1)."""
    channels = settings.channels
    first, second = conv(channels_in, channels), conv(channels, channels)
    last = conv(channels, 2 * settings.latent_channels)
    for layer in (first, second):
        kaiming_(layer, slope=_SLOPE)
    kaiming_(last, gain=gain, slope=1)
    activation = nn.LeakyReLU(_SLOPE, inplace=True)
    return nn.Sequential(first, activation, second, activation, last)


def _tail(settings: Settings) -> tuple[nn.Sequential, int]:
    """Upsampling layers to a picture, and LR pixels on each side that they read."""
    scale, channels = settings.scale, settings.channels
    if settings.upsampler == "direct":
        return nn.Sequential(*shuffle_stage(channels, 3, scale, gain=_GAIN)), 1
    last = conv(channels, 3)
    kaiming_(last, gain=_GAIN)
    stages = upsampling_stages(scale, channels, nn.ReLU)
    return nn.Sequential(*stages, last), tail_reach(scale, 1)


class SRVAE(LatentNetwork):
    """Posterior, prior and decoder; the posterior is needed in training only."""

    def __init__(self, settings: Settings) -> None:
        super().__init__()
        channels = settings.channels
        self.scale = settings.scale
        self.multiple = 1
        # full gain: were the posterior's means lost in its noise, the decoder would ignore z
        self.posterior = _encoder(6 * settings.scale**2, settings)
        self.prior = _encoder(3, settings, gain=_GAIN)
        self.head = conv(3, channels)
        self.inject = conv(settings.latent_channels, channels, 1)
        for layer in (self.head, self.inject):
            kaiming_(layer, slope=1)
        blocks = [residual_block(channels, gain=_GAIN) for _ in range(settings.num_blocks)]
        self.body = nn.Sequential(*blocks)
        self.tail, reach = _tail(settings)
        self.padding = _ENCODER_REACH + 2 * settings.num_blocks + reach

    def prior_of(self, lr: Tensor) -> tuple[Gaussian, list[Tensor]]:
        """The prior, (N, latent_channels, H, W), and the head's features."""
        return gaussian(self.prior(lr - 0.5).to(lr.dtype)), [self.head(lr - 0.5)]

    def posterior_of(self, lr: Tensor, hr: Tensor) -> Gaussian:
        """The posterior, (N, latent_channels, H, W)."""
        pictures = torch.cat([enlarge(lr, self.scale), hr], dim=1) - 0.5
        return gaussian(self.posterior(F.pixel_unshuffle(pictures, self.scale)).to(lr.dtype))

    def decode(self, lr: Tensor, z: Tensor, features: list[Tensor]) -> Tensor:
        """LR (N, 3, H, W) and z (N, latent_channels, H, W) to SR, not clamped."""
        picture: Tensor = self.tail(self.body(features[0] + self.inject(z)))
        return picture.to(lr.dtype) + enlarge(lr, self.scale)
