"""CVAE: a convolutional conditional VAE with skips from LR's encoder to the decoder.

Sohn, Lee, Yan. Learning Structured Output Representation using Deep Conditional Generative Models.
NIPS 2015, section 4.1: posterior q(z | LR, HR), learned prior p(z | LR), generator p(HR | LR, z).
Layers are those of published re-implementations for 32 x 32 LR: encoder 64 x 32 x 32, 128 x 16 x
16, 256 x 8 x 8, 512 x 4 x 4, a latent of 256 numbers, a mirrored decoder with the encoder's
features, two PixelShuffle stages, sigmoid. Their 11,707,011 parameters are LR's encoder and the
decoder here; that count implies one BN of 64 channels fewer than layers; here the first layer has
none, as in DCGAN.

- Their posterior reads LR only, so it is the prior, and they sample with zeros as skips, which do
  not occur in training. Here the posterior reads HR, too, and skips are always LR's features.
- They take 32 x 32 only. Here pictures are mirrored to a multiple of `window_size`, dense layers
  read and write one latent per window, and other layers run over the whole picture.
- For short trainings: `residual: bicubic` adds the bicubic enlargement instead of the sigmoid, and
  `norm: none` has no BN (EDSR, https://arxiv.org/abs/1707.02921, section 3.1).
"""

from dataclasses import dataclass
from typing import Literal

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from srmodels.models._cpu_layers import PixelShuffle
from srmodels.models._latent import Gaussian, LatentNetwork, gaussian
from srmodels.models._layers import (
    check_settings,
    conv,
    kaiming_,
    shuffle_stage,
    stage_factors,
    tail_reach,
)
from srmodels.models._windows import mirror_to_multiple
from srmodels.resize.tensors import enlarge

ROLE = "generator"
LATENT = True
_SLOPE = 0.2
_GAIN = 0.1  # of the layers that make the prior and the picture at the start
_LOG_VARIANCE = -6.0  # of the posterior at the start
_STAGES = 3  # of the encoder, each halves the picture
_STRIDE = 2**_STAGES


@dataclass(frozen=True, kw_only=True)
class Settings:
    """The published network for x4."""

    scale: int = 4
    channels: int = 64  # of the first layer; the deepest has eight times as many
    latent_channels: int = 256  # per window
    window_size: int = 32  # LR pixels, a multiple of 8
    norm: Literal["batch", "none"] = "batch"
    residual: Literal["none", "bicubic"] = "none"  # a sigmoid as published, or added to bicubic

    def __post_init__(self) -> None:
        check_settings(self, "channels", "latent_channels")
        if self.window_size < _STRIDE or self.window_size % _STRIDE:
            raise ValueError(f"window_size must be a multiple of {_STRIDE}")


def _norm(channels: int, settings: Settings) -> list[nn.Module]:
    return [nn.BatchNorm2d(channels)] if settings.norm == "batch" else []


class _Encoder(nn.Module):
    """3x3 convolutions, all but the first with stride 2 and BN; then a dense layer per window."""

    def __init__(self, channels_in: int, settings: Settings, *, gain: float = 1.0) -> None:
        super().__init__()
        self.stages = nn.ModuleList()
        for number in range(_STAGES + 1):
            channels = settings.channels * 2**number
            layer = conv(channels_in, channels, stride=2 if number else 1)
            kaiming_(layer, slope=_SLOPE)
            norm = _norm(channels, settings) if number else []
            self.stages.append(nn.Sequential(layer, *norm, nn.LeakyReLU(_SLOPE, inplace=True)))
            channels_in = channels
        # a convolution with kernel and stride of a window is a dense layer per window
        side = settings.window_size // _STRIDE
        self.moments = nn.Conv2d(channels_in, 2 * settings.latent_channels, side, stride=side)
        kaiming_(self.moments, gain=gain, slope=1)

    def forward(self, pictures: Tensor) -> tuple[Gaussian, list[Tensor]]:
        """(N, C, H, W) to the latent's distribution and the features, largest first."""
        features = [pictures]
        for stage in self.stages:
            features.append(stage(features[-1]))
        return gaussian(self.moments(features[-1]).to(pictures.dtype)), features[1:]


def _transposed_stage(channels_in: int, channels: int, settings: Settings) -> nn.Sequential:
    """Transposed convolution with stride 2, BN, ReLU."""
    layer = nn.ConvTranspose2d(channels_in, channels, 4, stride=2, padding=1)
    nn.init.normal_(layer.weight, std=(2 / (4 * channels_in)) ** 0.5)  # He: 4 taps per pixel
    assert layer.bias is not None, "also before a BN"
    nn.init.zeros_(layer.bias)
    return nn.Sequential(layer, *_norm(channels, settings), nn.ReLU(inplace=True))


class _Decoder(nn.Module):
    """A dense layer per window, transposed convolutions with LR's features, PixelShuffles."""

    def __init__(self, settings: Settings) -> None:
        super().__init__()
        channels, side = settings.channels, settings.window_size // _STRIDE
        channels_in = channels * _STRIDE
        seed = nn.Conv2d(settings.latent_channels, channels_in * side**2, 1)
        kaiming_(seed, slope=1)
        self.seed = nn.Sequential(seed, PixelShuffle(side))
        self.stages = nn.ModuleList()
        for number in reversed(range(_STAGES)):
            stage_channels = channels * 2**number
            self.stages.append(_transposed_stage(channels_in, stage_channels, settings))
            channels_in = 2 * stage_channels  # with the encoder's features
        layers: list[nn.Module] = []
        for factor in stage_factors(settings.scale):
            after = (*_norm(channels, settings), nn.ReLU(inplace=True))
            layers += shuffle_stage(channels_in, channels, factor, *after)
            channels_in = channels
        last = conv(channels, 3)
        kaiming_(last, gain=_GAIN)
        self.tail = nn.Sequential(*layers, last)

    def forward(self, z: Tensor, skips: list[Tensor]) -> Tensor:
        """A latent (N, C, h, w) and the encoder's features, largest first, to a picture."""
        features = self.seed(z)
        for stage, skip in zip(self.stages, skips[-2::-1], strict=True):  # not the deepest
            features = torch.cat([stage(features), skip], dim=1)
        picture: Tensor = self.tail(features)
        return picture


class CVAE(LatentNetwork):
    """LR's encoder (features and prior), the posterior's encoder, the decoder."""

    def __init__(self, settings: Settings) -> None:
        super().__init__()
        self.scale = settings.scale
        self.window_size = self.multiple = settings.window_size
        self.padding = _receptive_field(settings)
        self.add_bicubic = settings.residual == "bicubic"
        self.encoder = _Encoder(3, settings, gain=_GAIN)
        self.decoder = _Decoder(settings)
        self.posterior = _Encoder(3 + 3 * settings.scale**2, settings)
        # little noise at the start: skips carry all of LR, so the decoder would ignore a noisy z
        bias = self.posterior.moments.bias
        assert bias is not None, "a dense layer has one"
        nn.init.constant_(bias[settings.latent_channels :], _LOG_VARIANCE)

    def prior_of(self, lr: Tensor) -> tuple[Gaussian, list[Tensor]]:
        """The prior, (N, latent_channels, rows, columns of windows), and features of LR."""
        padded = mirror_to_multiple(lr - 0.5, self.window_size)
        prior: tuple[Gaussian, list[Tensor]] = self.encoder(padded)
        return prior

    def posterior_of(self, lr: Tensor, hr: Tensor) -> Gaussian:
        """The posterior, in the prior's shape."""
        # HR is folded to LR's size before both are mirrored, so they stay aligned
        pictures = torch.cat([lr, F.pixel_unshuffle(hr, self.scale)], dim=1) - 0.5
        posterior: Gaussian = self.posterior(mirror_to_multiple(pictures, self.window_size))[0]
        return posterior

    def decode(self, lr: Tensor, z: Tensor, features: list[Tensor]) -> Tensor:
        """LR (N, 3, H, W), z and LR's features to SR, not clamped."""
        height, width = (side * self.scale for side in lr.shape[-2:])
        picture: Tensor = self.decoder(z, features)[..., :height, :width].to(lr.dtype)
        return picture + enlarge(lr, self.scale) if self.add_bicubic else torch.sigmoid(picture)


def _receptive_field(settings: Settings) -> int:
    """LR pixels on each side that an SR pixel reads through the latent, the most in a window."""
    reach = tail_reach(settings.scale, 1)
    side, farthest = settings.window_size // _STRIDE, 0
    for pixel in range(settings.window_size):
        first, last = pixel - reach, pixel + reach
        for _ in range(_STAGES):  # 4x4 transposed convolutions with stride 2
            first, last = (first - 1) // 2, (last + 1) // 2
        first, last = first // side * side, last // side * side + side - 1
        for _ in range(_STAGES):  # 3x3 convolutions with stride 2
            first, last = 2 * first - 1, 2 * last + 1
        farthest = max(farthest, pixel - first + 1, last + 1 - pixel)
    return farthest
