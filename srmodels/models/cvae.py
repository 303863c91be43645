"""CVAE: a convolutional conditional VAE with skips from LR's encoder to the decoder.

Kihyuk Sohn, Xinchen Yan, Honglak Lee. Learning Structured Output Representation using Deep
Conditional Generative Models. NIPS 2015, section 4.1: posterior q(z | LR, HR), learned prior
p(z | LR), generator p(HR | LR, z). Layers as published re-implementations for super-resolution have
them, for LR of 32 x 32: encoder 64 x 32 x 32, 128 x 16 x 16, 256 x 8 x 8, 512 x 4 x 4, a latent of
256 numbers, the way back with the encoder's features beside, two PixelShuffle stages, sigmoid.

Those published ones have 11,707,011 parameters, which here are LR's encoder (features and prior)
and the decoder: all that is needed once it is trained. The posterior's encoder comes on top. One BN
of 64 channels fewer than layers is what the count says; here as in DCGAN (Radford et al. 2016,
https://arxiv.org/abs/1511.06434) the first layer has none.

Where this differs from them:

- Their posterior sees LR only, so it is the prior; and they sample with zeros for skips, which no
  training has seen. Here a posterior sees HR too, and skips are always the features of LR.
- They take 32 x 32 only. Here each window of `window_size` LR pixels has a latent of its own, read
  and written by what was the dense layers, and all other layers run over the whole: the same
  network at 32 x 32, any size by mirroring to a multiple of the window, and a padded tile that
  begins at a window equals the whole picture (as one latent for a whole picture could not).
- `residual: bicubic` adds the output to the bicubic enlargement instead of the sigmoid, and
  `norm: none` leaves out BN (EDSR, https://arxiv.org/abs/1707.02921, section 3.1): for short
  trainings, as SRResNet's settings of these names.
"""

from dataclasses import dataclass
from typing import Literal

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from srmodels.models._latent import Gaussian, LatentNetwork, gaussian
from srmodels.models._layers import (
    check_counts,
    check_scale,
    conv,
    icnr_,
    kaiming_,
    reach_below,
    stage_factors,
)
from srmodels.models._windows import mirror_to_multiple
from srmodels.resize.tensors import enlarge

__all__ = ["CVAE", "ROLE", "Settings", "build"]

ROLE = "generator"
LATENT = True
_SLOPE = 0.2
_SMALL = 0.1  # what the layers that make the prior and the picture are multiplied by at the start
_CERTAIN = -6.0  # log variance of the posterior at the start
_STRIDES = 3  # of the encoder, each halving the picture
_SHRINKS = 2**_STRIDES


@dataclass(frozen=True, kw_only=True)
class Settings:
    """The published network for x4.

    Attributes:
        scale: How many times larger SR is.
        channels: Feature maps of the first layer; the deepest have eight times as many.
        latent_channels: Numbers of the latent for each window.
        window_size: Side of the windows that have a latent each, in LR pixels; a multiple of 8.
        norm: "batch" after most convolutions (published), or "none".
        residual: "none" ends in a sigmoid (published), "bicubic" adds to the enlargement.
    """

    scale: int = 4
    channels: int = 64
    latent_channels: int = 256
    window_size: int = 32
    norm: Literal["batch", "none"] = "batch"
    residual: Literal["none", "bicubic"] = "none"

    def __post_init__(self) -> None:
        check_scale(self.scale)
        check_counts(self, "channels", "latent_channels")
        if self.window_size < _SHRINKS or self.window_size % _SHRINKS:
            raise ValueError(f"window_size must be a multiple of {_SHRINKS}")


def _norm(channels: int, settings: Settings) -> list[nn.Module]:
    return [nn.BatchNorm2d(channels)] if settings.norm == "batch" else []


class _Encoder(nn.Module):
    """3x3 convolutions, all but the first with stride 2 and BN; then a dense layer per window."""

    def __init__(self, channels_in: int, settings: Settings, *, gain: float = 1.0) -> None:
        super().__init__()
        self.stages = nn.ModuleList()
        before = channels_in
        for number in range(_STRIDES + 1):
            after = settings.channels * 2**number
            layer = conv(before, after, stride=2 if number else 1)
            kaiming_(layer, slope=_SLOPE)
            norm = _norm(after, settings) if number else []
            self.stages.append(nn.Sequential(layer, *norm, nn.LeakyReLU(_SLOPE, inplace=True)))
            before = after
        side = settings.window_size // _SHRINKS
        # with the kernel and the stride of a window a convolution is the dense layer of each
        self.moments = nn.Conv2d(before, 2 * settings.latent_channels, side, stride=side)
        kaiming_(self.moments, gain=gain, slope=1)

    def forward(self, pictures: Tensor) -> tuple[Gaussian, list[Tensor]]:
        """(N, C, H, W) to the latent's distribution and the features, largest first."""
        features = [pictures]
        for stage in self.stages:
            features.append(stage(features[-1]))
        return gaussian(self.moments(features[-1]).to(pictures.dtype)), features[1:]


def _twice(before: int, after: int, settings: Settings) -> nn.Sequential:
    """Transposed convolution with stride 2, BN, ReLU."""
    layer = nn.ConvTranspose2d(before, after, 4, stride=2, padding=1)
    nn.init.normal_(layer.weight, std=(2 / (4 * before)) ** 0.5)  # He: 4 taps make a pixel
    assert layer.bias is not None, "its norm may be none"
    nn.init.zeros_(layer.bias)
    return nn.Sequential(layer, *_norm(after, settings), nn.ReLU(inplace=True))


def _shuffled(before: int, factor: int, settings: Settings) -> list[nn.Module]:
    """Convolution, PixelShuffle, BN, ReLU."""
    after = settings.channels
    layer = conv(before, after * factor**2)
    kaiming_(layer)
    icnr_(layer, factor)
    return [layer, nn.PixelShuffle(factor), *_norm(after, settings), nn.ReLU(inplace=True)]


class _Decoder(nn.Module):
    """A dense layer per window, transposed convolutions beside LR's features, PixelShuffles."""

    def __init__(self, settings: Settings) -> None:
        super().__init__()
        channels, side = settings.channels, settings.window_size // _SHRINKS
        deepest = channels * _SHRINKS
        seed = nn.Conv2d(settings.latent_channels, deepest * side**2, 1)
        kaiming_(seed, slope=1)
        self.seed = nn.Sequential(seed, nn.PixelShuffle(side))
        self.stages = nn.ModuleList()
        before = deepest
        for number in reversed(range(_STRIDES)):
            after = channels * 2**number
            self.stages.append(_twice(before, after, settings))
            before = 2 * after  # the encoder's features are as many
        layers: list[nn.Module] = []
        for factor in stage_factors(settings.scale):
            layers += _shuffled(before, factor, settings)
            before = channels
        last = conv(channels, 3)
        kaiming_(last, gain=_SMALL)
        self.tail = nn.Sequential(*layers, last)

    def forward(self, z: Tensor, across: list[Tensor]) -> Tensor:
        """A latent (N, C, h, w) and the encoder's features, largest first, to a picture."""
        features = self.seed(z)
        for stage, beside in zip(self.stages, across[-2::-1], strict=True):  # the deepest has none
            features = torch.cat([stage(features), beside], dim=1)
        picture: Tensor = self.tail(features)
        return picture


class CVAE(LatentNetwork):
    """LR's encoder (features and prior), the posterior's encoder, the decoder."""

    def __init__(self, settings: Settings) -> None:
        super().__init__()
        self.scale = settings.scale
        self.window_size = self.multiple = settings.window_size
        self.padding = _reach(settings)
        self.add_bicubic = settings.residual == "bicubic"
        self.encoder = _Encoder(3, settings, gain=_SMALL)
        self.decoder = _Decoder(settings)
        self.posterior = _Encoder(3 + 3 * settings.scale**2, settings)
        # begins almost without noise: skips bring the decoder all it needs of LR, so it would learn
        # to look past a noisy z before there is anything in it
        bias = self.posterior.moments.bias
        assert bias is not None, "a dense layer has one"
        nn.init.constant_(bias[settings.latent_channels :], _CERTAIN)

    def prior_of(self, lr: Tensor) -> tuple[Gaussian, list[Tensor]]:
        """(N, latent_channels, h, w) each of mean and log variance, and LR's features.

        h and w count windows; the features are those of LR mirrored to a multiple of the window.
        """
        prior: tuple[Gaussian, list[Tensor]] = self.encoder(
            mirror_to_multiple(lr - 0.5, self.window_size)
        )
        return prior

    def posterior_of(self, lr: Tensor, hr: Tensor) -> Gaussian:
        """The same shape, given HR too."""
        # folded to LR's size first, so that LR and HR are mirrored alike
        seen = torch.cat([lr, F.pixel_unshuffle(hr, self.scale)], dim=1) - 0.5
        posterior: Gaussian = self.posterior(mirror_to_multiple(seen, self.window_size))[0]
        return posterior

    def generated(self, lr: Tensor, z: Tensor, features: list[Tensor]) -> Tensor:
        """LR (N, 3, H, W), z and LR's features to SR, not clamped."""
        height, width = (side * self.scale for side in lr.shape[-2:])
        picture: Tensor = self.decoder(z, features)[..., :height, :width].to(lr.dtype)
        return picture + enlarge(lr, self.scale) if self.add_bicubic else torch.sigmoid(picture)


def _reach(settings: Settings) -> int:
    """LR pixels on either side of any one pixel that its SR pixels depend on.

    How far it is depends on where in its window the pixel lies; this is the farthest. The way
    through the latent covers all others.
    """
    reach = 1
    for factor in reversed(stage_factors(settings.scale)):
        reach = reach_below(reach, factor) + 1
    side, farthest = settings.window_size // _SHRINKS, 0
    for pixel in range(settings.window_size):
        first, last = pixel - reach, pixel + reach
        for _ in range(_STRIDES):  # 4x4 transposed convolutions with stride 2
            first, last = (first - 1) // 2, (last + 1) // 2
        first, last = first // side * side, last // side * side + side - 1
        for _ in range(_STRIDES):  # 3x3 convolutions with stride 2
            first, last = 2 * first - 1, 2 * last + 1
        farthest = max(farthest, pixel - first + 1, last + 1 - pixel)
    return farthest


def build(settings: Settings) -> nn.Module:
    """A freshly initialised CVAE."""
    return CVAE(settings)
