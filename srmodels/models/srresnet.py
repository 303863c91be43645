"""SRResNet: Photo-Realistic Single Image Super-Resolution Using a Generative Adversarial Network.

Ledig et al. CVPR 2017. https://arxiv.org/abs/1609.04802. The defaults are figure 4's generator.
Differences:

- HR is in [0, 1], not [-1, 1] (section 3.2). The network subtracts and adds 0.5 inside, so zero
  padding is grey, not black.
- Initialisation, which the paper leaves open: He et al. 2015, the last layer of every branch and of
  the network times 0.1, so training starts near grey (or bicubic), and ICNR before PixelShuffle.
  `initial_std` draws all weights alike, as DCGAN, which learns faster here.
- The "direct" upsampler has an EvenConv2d, so adversarial training draws no checkerboard.
- Settings beyond the paper: no BN, ReLU (EDSR, arXiv:1707.02921), small edge kernels, ESPCN's
  single PixelShuffle (arXiv:1609.05158), nearest + convolution, the added bicubic enlargement
  (VDSR, arXiv:1511.04587), equivariance (arXiv:1602.07576), ensembles (arXiv:1612.01474).
"""

from dataclasses import dataclass, replace
from typing import Literal

import torch
from torch import Tensor, nn

from srmodels.models._cpu_layers import PixelShuffle, PReLU
from srmodels.models._equivariance import FIELD, make_equivariant
from srmodels.models._layers import (
    BICUBIC_REACH,
    EvenConv2d,
    Residual,
    check_settings,
    conv,
    kaiming_,
    normal_,
    tail_reach,
    upsampling_stages,
)
from srmodels.models._trunk_tail import TrunkTail
from srmodels.resize.tensors import enlarge

ROLE = "generator"
_GAIN = 0.1  # of the last layer of every branch and of the network at the start


@dataclass(frozen=True, kw_only=True)
class Settings:
    """Figure 4's generator."""

    scale: int = 4
    num_blocks: int = 16  # residual blocks of the body
    channels: int = 64  # feature maps
    norm: Literal["batch", "none"] = "batch"  # after every convolution of the body
    edge_kernel: int = 9  # of the first and last convolution, odd
    # "direct" is one convolution and one PixelShuffle, without a last convolution
    upsampler: Literal["pixelshuffle", "direct", "nearest_conv"] = "pixelshuffle"
    activation: Literal["prelu", "relu"] = "prelu"  # one slope per PReLU
    residual: Literal["none", "bicubic"] = "none"  # as in the paper, or added to bicubic
    initial_std: float = 0.0  # of all weights, without ICNR; 0: He et al. 2015
    # "p4m": SR of a turned or flipped LR is the turned or flipped SR (see `_equivariance`)
    equivariance: Literal["none", "p4m"] = "none"
    # Networks whose mean is SR. In training each sees its own share of every micro-batch, so the
    # division into micro-batches and ranks decides who sees which crop.
    members: int = 1

    def __post_init__(self) -> None:
        check_settings(self, "num_blocks", "channels", "edge_kernel", "members")
        if not 0 <= self.initial_std <= 1:
            raise ValueError("initial_std must lie in [0, 1]")
        if self.equivariance == "p4m" and self.norm != "none":
            raise ValueError("equivariance: p4m needs norm: none")
        if self.equivariance == "p4m" and self.channels % FIELD:
            raise ValueError(f"channels must be a multiple of {FIELD} with equivariance: p4m")


def _activation(settings: Settings) -> nn.Module:
    return PReLU() if settings.activation == "prelu" else nn.ReLU()


def _conv_norm(settings: Settings, *, gain: float = 1.0) -> list[nn.Module]:
    layer = conv(settings.channels, settings.channels)
    if settings.norm == "none":
        kaiming_(layer, gain=gain)
        return [layer]
    kaiming_(layer)
    norm = nn.BatchNorm2d(settings.channels)
    nn.init.constant_(norm.weight, gain)
    return [layer, norm]


def _tail(settings: Settings) -> tuple[nn.Sequential, int]:
    """Upsampling layers to a picture, and LR pixels on each side that they read."""
    scale, channels, kernel = settings.scale, settings.channels, settings.edge_kernel
    if settings.upsampler == "direct":
        even = EvenConv2d(channels, 3, scale)
        kaiming_(even, gain=_GAIN)  # ICNR cost 0.2 dB after 800 steps here
        return nn.Sequential(even, PixelShuffle(scale)), 1
    nearest = settings.upsampler == "nearest_conv"
    stages = upsampling_stages(scale, channels, lambda: _activation(settings), nearest=nearest)
    last = conv(channels, 3, kernel)
    kaiming_(last, gain=_GAIN)
    return nn.Sequential(*stages, last), tail_reach(scale, kernel // 2, nearest=nearest)


class SRResNet(TrunkTail):
    """Figure 4's generator: head, body with a long skip, tail; in an ensemble the first member."""

    def __init__(self, settings: Settings) -> None:
        super().__init__()
        self.scale = settings.scale
        self.add_bicubic = settings.residual == "bicubic"
        first = conv(3, settings.channels, settings.edge_kernel)
        kaiming_(first)
        self.head = nn.Sequential(first, _activation(settings))
        blocks = [
            Residual(
                *_conv_norm(settings), _activation(settings), *_conv_norm(settings, gain=_GAIN)
            )
            for _ in range(settings.num_blocks)
        ]
        self.body = Residual(*blocks, *_conv_norm(settings))  # the long skip
        self.tail, reach = _tail(settings)
        self.trunk_padding = 1 + 2 * settings.num_blocks + settings.edge_kernel // 2
        self.tail_padding = max(reach, BICUBIC_REACH)
        self.padding = self.trunk_padding + reach
        if settings.initial_std:
            normal_(self, settings.initial_std)
        if settings.equivariance == "p4m":
            make_equivariant(self)
        member = replace(settings, members=1)
        self.others = nn.ModuleList(SRResNet(member) for _ in range(settings.members - 1))
        self.trunk_end = nn.Identity()  # tiling needs a layer after the concatenation

    def _members(self) -> "list[SRResNet]":
        return [self, *self.others]

    def _trunk(self, lr: Tensor) -> Tensor:
        features: Tensor = self.body(self.head(lr - 0.5))
        return features

    def _base(self, lr: Tensor) -> Tensor | float:
        return enlarge(lr, self.scale) if self.add_bicubic else 0.5

    def forward(self, lr: Tensor) -> Tensor:
        """(N, 3, H, W) in [0, 1] to (N, 3, scale * H, scale * W), not clamped."""
        if not (self.training and self.others):
            return super().forward(lr)
        members = self._members()
        shares = zip(members, lr.tensor_split(len(members)), strict=True)
        pictures = [member.tail(member._trunk(share)) for member, share in shares if len(share)]
        return torch.cat(pictures).to(lr.dtype) + self._base(lr)

    def features_of(self, lr: Tensor) -> Tensor:
        """The trunk: (N, 3, H, W) in [0, 1] to (N, members * channels, H, W)."""
        if not self.others:
            return self._trunk(lr)
        features = torch.cat([member._trunk(lr) for member in self._members()], dim=1)
        end: Tensor = self.trunk_end(features)
        return end

    def sr_of(self, features: Tensor, lr: Tensor) -> Tensor:
        """The tail: features (N, members * channels, H, W) and LR to SR."""
        if not self.others:
            picture: Tensor = self.tail(features)
            return picture.to(lr.dtype) + self._base(lr)
        members = self._members()
        chunks = zip(members, features.chunk(len(members), dim=1), strict=True)
        pictures = [member.tail(chunk).to(lr.dtype) for member, chunk in chunks]
        return torch.stack(pictures).mean(0) + self._base(lr)
