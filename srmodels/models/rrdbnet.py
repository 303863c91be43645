"""RRDBNet: ESRGAN: Enhanced Super-Resolution Generative Adversarial Networks.

Wang et al. ECCV workshops 2018. https://arxiv.org/abs/1809.00219. The defaults are the public
network. Parameters have Real-ESRGAN's names (https://arxiv.org/abs/2107.10833), and the names of
ESRGAN's first two releases (https://github.com/xinntao/ESRGAN) load, too. Because of those weights,
inputs are not centred. Differences:

- `upsampler: pixelshuffle`, as in many re-implementations: convolutions four times as wide and a
  PixelShuffle instead of nearest-neighbour enlargement and a convolution.
- `upsampler: direct` computes all SR pixels from the trunk by one convolution, at a fraction of the
  cost; `residual: bicubic` adds them to the enlarged LR (VDSR, https://arxiv.org/abs/1511.04587).
- `equivariance` ties the weights (Cohen and Welling, https://arxiv.org/abs/1602.07576).
- x3 has one stage, x8 three. x2 is one stage, as in ESRGAN; Real-ESRGAN's x2 network, which folds
  the picture first, does not load.
"""

import re
from collections.abc import MutableMapping
from dataclasses import dataclass
from typing import Any, Literal

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from srmodels.models._cpu_layers import PixelShuffle
from srmodels.models._equivariance import FIELD, make_equivariant
from srmodels.models._layers import (
    BICUBIC_REACH,
    EvenConv2d,
    check_settings,
    conv,
    icnr_,
    kaiming_,
    stage_factors,
    tail_reach,
)
from srmodels.models._trunk_tail import TrunkTail
from srmodels.resize.tensors import enlarge

ROLE = "generator"
_SLOPE = 0.2
_GAIN = 0.1  # the paper's smaller initialisation (section 3.1)
_DENSE = 5  # convolutions of a dense block


@dataclass(frozen=True, kw_only=True)
class Settings:
    """The public ESRGAN generator."""

    scale: int = 4
    num_blocks: int = 23  # residual blocks of the body
    channels: int = 64  # feature maps
    growth_channels: int = 32  # that each convolution of a dense block adds
    upsampler: Literal["nearest_conv", "pixelshuffle", "direct"] = "nearest_conv"
    residual: Literal["none", "bicubic"] = "none"  # "bicubic": added to the enlarged LR
    residual_scale: float = 0.2  # factor of the branches (beta of section 3.1)
    # "p4m": SR of a turned or flipped LR is the turned or flipped SR (see `_equivariance`)
    equivariance: Literal["none", "p4m"] = "none"

    def __post_init__(self) -> None:
        check_settings(self, "num_blocks", "channels", "growth_channels")
        if self.equivariance == "p4m":
            if self.upsampler == "pixelshuffle":
                raise ValueError("equivariance: p4m needs upsampler: nearest_conv or direct")
            if self.channels % FIELD or self.growth_channels % FIELD:
                raise ValueError(
                    f"channels and growth_channels must be multiples of {FIELD} with equivariance: "
                    "p4m"
                )


class _DenseBlock(nn.Module):
    """Figure 4, right: every convolution reads the features of all previous ones."""

    def __init__(self, settings: Settings) -> None:
        super().__init__()
        self.residual_scale = settings.residual_scale
        for number in range(1, _DENSE + 1):
            channels_in = settings.channels + (number - 1) * settings.growth_channels
            last = number == _DENSE
            layer = conv(channels_in, settings.channels if last else settings.growth_channels)
            kaiming_(layer, gain=_GAIN)
            self.add_module(f"conv{number}", layer)

    def forward(self, features: Tensor) -> Tensor:
        dense = [features]
        for number in range(1, _DENSE):
            joined = torch.cat(dense, dim=1) if number > 1 else features
            growth = self.get_submodule(f"conv{number}")(joined)
            dense.append(F.leaky_relu(growth, _SLOPE, inplace=True))
        change: Tensor = self.get_submodule(f"conv{_DENSE}")(torch.cat(dense, dim=1))
        return features + self.residual_scale * change


class _RRDB(nn.Module):
    """Figure 4, left: three dense blocks inside a residual."""

    def __init__(self, settings: Settings) -> None:
        super().__init__()
        self.residual_scale = settings.residual_scale
        self.rdb1, self.rdb2, self.rdb3 = (_DenseBlock(settings) for _ in range(3))

    def forward(self, features: Tensor) -> Tensor:
        change: Tensor = self.rdb3(self.rdb2(self.rdb1(features)))
        return features + self.residual_scale * change


class RRDBNet(TrunkTail):
    """Figure 3's generator with RRDBs as basic blocks (section 3.1)."""

    def __init__(self, settings: Settings) -> None:
        super().__init__()
        channels = settings.channels
        self.scale = settings.scale
        self.factors = stage_factors(settings.scale)
        self.shuffles = settings.upsampler == "pixelshuffle"
        self.direct = settings.upsampler == "direct"
        self.add_bicubic = settings.residual == "bicubic"
        self.trunk_padding = 2 + 3 * _DENSE * settings.num_blocks
        reach = 1 if self.direct else tail_reach(settings.scale, 2, nearest=not self.shuffles)
        self.tail_padding = max(reach, BICUBIC_REACH) if self.add_bicubic else reach
        self.padding = self.trunk_padding + reach
        self.conv_first = conv(3, channels)
        self.body = nn.Sequential(*(_RRDB(settings) for _ in range(settings.num_blocks)))
        self.conv_body = conv(channels, channels)
        if self.direct:
            self.conv_last: nn.Conv2d = EvenConv2d(channels, 3, settings.scale)
            self.shuffle = PixelShuffle(settings.scale)
        else:
            self.conv_hr = conv(channels, channels)
            self.conv_last = conv(channels, 3)
        for layer in (self.conv_first, self.conv_body):
            kaiming_(layer, slope=1)
        kaiming_(self.conv_last, gain=_GAIN, slope=1)
        if not self.direct:
            kaiming_(self.conv_hr, slope=_SLOPE)
            self._add_stages(channels)
        if settings.equivariance == "p4m":
            make_equivariant(self)
        self.register_load_state_dict_pre_hook(_rename_keys)  # type: ignore[no-untyped-call]  # torch's is untyped

    def _add_stages(self, channels: int) -> None:
        for number, factor in enumerate(self.factors, start=1):
            layer = conv(channels, channels * factor**2 if self.shuffles else channels)
            kaiming_(layer, slope=_SLOPE)
            if self.shuffles:
                icnr_(layer, factor)
            self.add_module(f"conv_up{number}", layer)
            if self.shuffles:
                self.add_module(f"shuffle{number}", PixelShuffle(factor))

    def features_of(self, lr: Tensor) -> Tensor:
        """The trunk: (N, 3, H, W) in [0, 1] to (N, channels, H, W)."""
        features: Tensor = self.conv_first(lr)
        change: Tensor = self.conv_body(self.body(features))
        return features + change

    def sr_of(self, features: Tensor, lr: Tensor) -> Tensor:
        """The tail: features (N, channels, H, W) and LR to SR."""
        base = enlarge(lr, self.scale) if self.add_bicubic else 0.0
        if self.direct:
            direct: Tensor = self.shuffle(self.conv_last(features)).to(lr.dtype) + base
            return direct
        for number, factor in enumerate(self.factors, start=1):
            layer = self.get_submodule(f"conv_up{number}")
            if self.shuffles:
                features = self.get_submodule(f"shuffle{number}")(layer(features))
            else:
                features = layer(F.interpolate(features, scale_factor=factor, mode="nearest"))
            features = F.leaky_relu(features, _SLOPE, inplace=True)
        features = F.leaky_relu(self.conv_hr(features), _SLOPE, inplace=True)
        sr: Tensor = self.conv_last(features).to(lr.dtype) + base
        return sr


def _rename_keys(
    network: RRDBNet, state: MutableMapping[str, Any], prefix: str, *_: object
) -> None:
    """A hook before loading: renames the keys of ESRGAN's first two releases in place.

    The first release numbers layers ("model.1.sub.0.RDB1.conv1.0.weight"), the second names them
    ("RRDB_trunk.0.RDB1.conv1.weight"); most community weights use one of them.
    """
    stages = len(network.factors)
    patterns = [
        (
            r"(?:model\.1\.sub|RRDB_trunk)\.(\d+)\.RDB(\d)\.conv(\d)(?:\.0)?\.",
            r"body.\1.rdb\2.conv\3.",
        ),
        (r"model\.0\.|conv_first\.", "conv_first."),
        (r"model\.1\.sub\.\d+\.(?=weight|bias)|trunk_conv\.", "conv_body."),
        (rf"model\.{3 * stages + 2}\.|HRconv\.", "conv_hr."),
        (rf"model\.{3 * stages + 4}\.", "conv_last."),
        *((rf"model\.{3 * n}\.|upconv{n}\.", f"conv_up{n}.") for n in range(1, stages + 1)),
    ]
    for key in [key for key in state if key.startswith(prefix)]:
        for pattern, name in patterns:
            renamed, count = re.subn(rf"^(?:{pattern})", name, key.removeprefix(prefix))
            if count and prefix + renamed != key:
                state[prefix + renamed] = state.pop(key)
                break
