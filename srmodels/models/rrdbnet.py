"""RRDBNet: ESRGAN: Enhanced Super-Resolution Generative Adversarial Networks.

Xintao Wang, Ke Yu, Shixiang Wu, Jinjin Gu, Yihao Liu, Chao Dong, Chen Change Loy, Yu Qiao, Xiaoou
Tang. ECCV workshops 2018. https://arxiv.org/abs/1809.00219

The defaults are the public network, and parameters have the names of Real-ESRGAN's weights
(https://arxiv.org/abs/2107.10833), so that these load as they are; the names of ESRGAN's first two
releases are understood when weights are loaded. For that reason nothing is centred inside.

Where this differs:

- `upsampler: pixelshuffle`, which many re-implementations have, has convolutions four times as wide
  before a PixelShuffle in place of nearest-neighbour enlarging and a convolution.
- x3 and x8 have one stage of 3 and three of 2. x2 is one stage, as in ESRGAN; Real-ESRGAN's x2
  network, which folds the picture first, is another one and does not load.
"""

from dataclasses import dataclass
from typing import Literal

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from srmodels.models._esrgan_names import take_older_names
from srmodels.models._layers import (
    check_counts,
    check_scale,
    conv,
    icnr_,
    kaiming_,
    reach_below,
    stage_factors,
)

__all__ = ["ROLE", "RRDBNet", "Settings", "build"]

ROLE = "generator"
_SLOPE = 0.2
_DENSE = 5  # convolutions of a dense block


@dataclass(frozen=True, kw_only=True)
class Settings:
    """The public ESRGAN generator.

    Attributes:
        scale: How many times larger SR is.
        num_blocks: Residual-in-residual dense blocks.
        channels: Feature maps between the blocks.
        growth_channels: Feature maps each convolution of a dense block adds.
        upsampler: "nearest_conv" (the public weights') or "pixelshuffle".
        residual_scale: What branches are multiplied by (beta of section 3.1).
    """

    scale: int = 4
    num_blocks: int = 23
    channels: int = 64
    growth_channels: int = 32
    upsampler: Literal["nearest_conv", "pixelshuffle"] = "nearest_conv"
    residual_scale: float = 0.2

    def __post_init__(self) -> None:
        check_scale(self.scale)
        check_counts(self, "num_blocks", "channels", "growth_channels")
        if not 0 < self.residual_scale <= 1:
            raise ValueError("residual_scale must be above 0 and at most 1")


class _DenseBlock(nn.Module):
    """Figure 4, right: every convolution sees the features of all before it."""

    def __init__(self, settings: Settings) -> None:
        super().__init__()
        self.residual_scale = settings.residual_scale
        for number in range(1, _DENSE + 1):
            before = settings.channels + (number - 1) * settings.growth_channels
            after = settings.channels if number == _DENSE else settings.growth_channels
            layer = conv(before, after)
            kaiming_(layer, gain=0.1)  # the paper's smaller initialisation (section 3.1)
            self.add_module(f"conv{number}", layer)

    def forward(self, features: Tensor) -> Tensor:
        """(N, C, H, W) to the same."""
        seen = [features]
        for number in range(1, _DENSE):
            added = self.get_submodule(f"conv{number}")(torch.cat(seen, dim=1))
            seen.append(F.leaky_relu(added, _SLOPE, inplace=True))
        changed: Tensor = self.get_submodule(f"conv{_DENSE}")(torch.cat(seen, dim=1))
        return features + self.residual_scale * changed


class _RRDB(nn.Module):
    """Figure 4, left: three dense blocks inside one more residual."""

    def __init__(self, settings: Settings) -> None:
        super().__init__()
        self.residual_scale = settings.residual_scale
        self.rdb1, self.rdb2, self.rdb3 = (_DenseBlock(settings) for _ in range(3))

    def forward(self, features: Tensor) -> Tensor:
        """(N, C, H, W) to the same."""
        changed: Tensor = self.rdb3(self.rdb2(self.rdb1(features)))
        return features + self.residual_scale * changed


class RRDBNet(nn.Module):
    """Figure 3's generator with RRDBs for basic blocks (section 3.1)."""

    def __init__(self, settings: Settings) -> None:
        super().__init__()
        channels = settings.channels
        self.scale = settings.scale
        self.multiple = 1
        self.factors = stage_factors(settings.scale)
        self.shuffles = settings.upsampler == "pixelshuffle"
        self.conv_first = conv(3, channels)
        self.body = nn.Sequential(*(_RRDB(settings) for _ in range(settings.num_blocks)))
        self.conv_body = conv(channels, channels)
        self.conv_hr = conv(channels, channels)
        self.conv_last = conv(channels, 3)
        for layer in (self.conv_first, self.conv_body):
            kaiming_(layer, slope=1)
        kaiming_(self.conv_last, gain=0.1, slope=1)
        kaiming_(self.conv_hr, slope=_SLOPE)
        for number, factor in enumerate(self.factors, start=1):
            layer = conv(channels, channels * factor**2 if self.shuffles else channels)
            kaiming_(layer, slope=_SLOPE)
            if self.shuffles:
                icnr_(layer, factor)
            self.add_module(f"conv_up{number}", layer)
        self.trunk_padding = 2 + 3 * _DENSE * settings.num_blocks
        self.tail_padding = _tail_reach(settings)
        self.padding = self.trunk_padding + self.tail_padding
        self.register_load_state_dict_pre_hook(  # type: ignore[no-untyped-call]  # torch's is untyped
            take_older_names
        )

    def _enlarge(self, features: Tensor) -> Tensor:
        for number, factor in enumerate(self.factors, start=1):
            layer = self.get_submodule(f"conv_up{number}")
            if self.shuffles:
                features = F.pixel_shuffle(layer(features), factor)
            else:
                features = layer(F.interpolate(features, scale_factor=factor, mode="nearest"))
            features = F.leaky_relu(features, _SLOPE, inplace=True)
        return features

    def forward(self, lr: Tensor) -> Tensor:
        """(N, 3, H, W) in [0, 1] to (N, 3, scale * H, scale * W), not clamped."""
        return self.sr_of(self.features_of(lr), lr)

    def features_of(self, lr: Tensor) -> Tensor:
        """(N, 3, H, W) in [0, 1] to (N, channels, H, W): the trunk."""
        first: Tensor = self.conv_first(lr)
        changed: Tensor = self.conv_body(self.body(first))
        return first + changed

    def sr_of(self, features: Tensor, lr: Tensor) -> Tensor:
        """Features (N, channels, H, W) to SR: the tail; LR only says in which precision."""
        features = self._enlarge(features)
        features = F.leaky_relu(self.conv_hr(features), _SLOPE, inplace=True)
        sr: Tensor = self.conv_last(features).to(lr.dtype)
        return sr


def _tail_reach(settings: Settings) -> int:
    """LR pixels on either side of a tile's features that its output depends on."""
    reach = 2
    for factor in reversed(stage_factors(settings.scale)):
        after = settings.upsampler == "nearest_conv"  # the convolution comes after the enlarging
        reach = reach_below(reach + after, factor) + (not after)
    return reach


def build(settings: Settings) -> nn.Module:
    """A freshly initialised RRDBNet."""
    return RRDBNet(settings)
