"""SRResNet: Photo-Realistic Single Image Super-Resolution Using a Generative Adversarial Network.

Christian Ledig, Lucas Theis, Ferenc Huszar, Jose Caballero, Andrew Cunningham, Alejandro Acosta,
Andrew Aitken, Alykhan Tejani, Johannes Totz, Zehan Wang, Wenzhe Shi. CVPR 2017.
https://arxiv.org/abs/1609.04802

The defaults are figure 4's generator. Where this differs from the paper:

- The paper's LR is in [0, 1] and its HR in [-1, 1] (section 3.2). Here both are in [0, 1], and the
  network subtracts and adds 0.5 inside; zero padding then means grey rather than black.
- Initialisation, of which the paper says nothing: He et al. 2015, with the last layer of every
  residual branch and the layer that makes the picture at a tenth of it, so that a deep stack begins
  near the identity and training near grey (or near bicubic), and ICNR before every PixelShuffle.
  `initial_std` draws all weights alike instead, DCGAN's way, which learns faster here.
- The "direct" upsampler has, in place of ICNR, a convolution that keeps flat areas flat at all
  times (EvenConv2d), so that a discriminator cannot drive it into a checkerboard.
- Settings beyond the paper: no BN and ReLU (EDSR, arXiv:1707.02921), small edge kernels, ESPCN's
  single PixelShuffle (arXiv:1609.05158), nearest + convolution, and adding the bicubic enlargement
  (VDSR, arXiv:1511.04587), layers that commute with flips and turns (arXiv:1602.07576), and the
  mean of several networks (deep ensembles, arXiv:1612.01474).
"""

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Literal

import torch
from torch import Tensor, nn

from srmodels.models._equivariance import FIELD, make_equivariant
from srmodels.models._layers import (
    EvenConv2d,
    bicubic_reach,
    check_counts,
    check_scale,
    conv,
    kaiming_,
    nearest_stage,
    normal_,
    reach_below,
    shuffle_stage,
    stage_factors,
)
from srmodels.resize.tensors import enlarge

__all__ = ["ROLE", "SRResNet", "Settings", "build"]

ROLE = "generator"
_SMALL = 0.1  # what the last layer of a branch is multiplied by at the start


@dataclass(frozen=True, kw_only=True)
class Settings:
    """Figure 4's generator by default.

    Attributes:
        scale: How many times larger SR is.
        num_blocks: Residual blocks.
        channels: Feature maps throughout the body.
        norm: "batch" after every convolution of the body (paper), or "none".
        edge_kernel: Size of the first and the last convolution, odd.
        upsampler: "pixelshuffle" (paper: convolution, PixelShuffle, activation per stage, then a
            last convolution), "direct" (one convolution, one PixelShuffle, nothing after it), or
            "nearest_conv" (nearest-neighbour and convolution per stage; no checkerboard).
        activation: "prelu" (paper; one slope each) or "relu".
        residual: "bicubic" adds the output to the bicubic enlargement; "none" is the paper's.
        initial_std: Standard deviation of all weights at the start; 0 is the one above,
            with ICNR; else there is none.
        equivariance: "p4m" makes SR of a turned or flipped LR the turned or flipped SR
            (`_equivariance`); its free weights are an eighth. "none" is the paper's.
        members: How many such networks there are; SR is their mean. Each learns from its own
            share of what is computed at once, so that they err differently; into how many parts
            and processes a batch is divided decides whose a crop is.
    """

    scale: int = 4
    num_blocks: int = 16
    channels: int = 64
    norm: Literal["batch", "none"] = "batch"
    edge_kernel: int = 9
    upsampler: Literal["pixelshuffle", "direct", "nearest_conv"] = "pixelshuffle"
    activation: Literal["prelu", "relu"] = "prelu"
    residual: Literal["none", "bicubic"] = "none"
    initial_std: float = 0.0
    equivariance: Literal["none", "p4m"] = "none"
    members: int = 1

    def __post_init__(self) -> None:
        check_scale(self.scale)
        check_counts(self, "num_blocks", "channels", "edge_kernel", "members")
        if self.edge_kernel % 2 == 0:
            raise ValueError("edge_kernel must be odd")
        if not 0 <= self.initial_std <= 1:
            raise ValueError("initial_std must lie in [0, 1]")
        if self.equivariance == "p4m" and self.norm != "none":
            raise ValueError("equivariance: p4m belongs to norm: none")
        if self.equivariance == "p4m" and self.channels % FIELD:
            raise ValueError(f"channels must be a multiple of {FIELD} with equivariance: p4m")


class _Residual(nn.Module):
    """Adds what it wraps to its input."""

    def __init__(self, *layers: nn.Module) -> None:
        super().__init__()
        self.branch = nn.Sequential(*layers)

    def forward(self, features: Tensor) -> Tensor:
        """(N, C, H, W) to the same."""
        changed: Tensor = self.branch(features)
        return features + changed


def _activation(settings: Settings) -> nn.Module:
    return nn.PReLU() if settings.activation == "prelu" else nn.ReLU()


def _conv_norm(settings: Settings, *, gain: float = 1.0) -> list[nn.Module]:
    layer = conv(settings.channels, settings.channels)
    if settings.norm == "none":
        kaiming_(layer, gain=gain)
        return [layer]
    kaiming_(layer)
    norm = nn.BatchNorm2d(settings.channels)
    nn.init.constant_(norm.weight, gain)
    return [layer, norm]


def _body(settings: Settings) -> _Residual:
    """Figure 4: the blocks, then a convolution and BN, all inside the long skip."""
    blocks = [
        _Residual(*_conv_norm(settings), _activation(settings), *_conv_norm(settings, gain=_SMALL))
        for _ in range(settings.num_blocks)
    ]
    return _Residual(*blocks, *_conv_norm(settings))


def _tail(settings: Settings) -> nn.Sequential:
    """Features (N, C, H, W) to a picture (N, 3, scale * H, scale * W)."""
    if settings.upsampler == "direct":
        even = EvenConv2d(settings.channels, 3, settings.scale)
        kaiming_(even, gain=_SMALL)  # without ICNR, which cost 0.2 dB after 800 steps here
        return nn.Sequential(even, nn.PixelShuffle(settings.scale))
    stage: Callable[[int, int, Callable[[], nn.Module]], list[nn.Module]] = (
        shuffle_stage if settings.upsampler == "pixelshuffle" else nearest_stage
    )
    layers: list[nn.Module] = []
    for factor in stage_factors(settings.scale):
        layers += stage(settings.channels, factor, lambda: _activation(settings))
    last = conv(settings.channels, 3, settings.edge_kernel)
    kaiming_(last, gain=_SMALL)
    return nn.Sequential(*layers, last)


def _tail_reach(settings: Settings) -> int:
    """LR pixels on either side of a tile's features that its output depends on."""
    if settings.upsampler == "direct":
        reach = 1
    else:
        reach = settings.edge_kernel // 2
        for factor in reversed(stage_factors(settings.scale)):
            # PixelShuffle follows its convolution, nearest-neighbour enlarging goes before it
            after = settings.upsampler == "nearest_conv"
            reach = reach_below(reach + after, factor) + (not after)
    return reach


class SRResNet(nn.Module):
    """Figure 4's generator: head, body of residual blocks with a long skip, enlarging tail.

    With more members than one, the first is this network's own head, body and tail.
    """

    def __init__(self, settings: Settings) -> None:
        super().__init__()
        self.scale = settings.scale
        self.trunk_padding = 1 + 2 * settings.num_blocks + settings.edge_kernel // 2
        reach, bicubic = _tail_reach(settings), bicubic_reach(0, settings.scale)
        self.tail_padding = max(reach, bicubic)
        self.padding = max(self.trunk_padding + reach, bicubic)
        self.multiple = 1
        self.add_bicubic = settings.residual == "bicubic"
        first = conv(3, settings.channels, settings.edge_kernel)
        kaiming_(first)
        self.head = nn.Sequential(first, _activation(settings))
        self.body = _body(settings)
        self.tail = _tail(settings)
        if settings.initial_std:
            normal_(self, settings.initial_std)
        if settings.equivariance == "p4m":
            make_equivariant(self)
        one = replace(settings, members=1)
        self.others = nn.ModuleList(SRResNet(one) for _ in range(settings.members - 1))
        self.together = nn.Identity()  # a trunk ends in a layer, see `Split`

    def _members(self) -> "list[SRResNet]":
        return [self, *self.others]

    def forward(self, lr: Tensor) -> Tensor:
        """(N, 3, H, W) in [0, 1] to (N, 3, scale * H, scale * W), not clamped.

        The mean of all members; in training, N divided among them, one's own for each.
        """
        if not (self.training and self.others):
            return self.sr_of(self.features_of(lr), lr)
        members = self._members()
        shares = zip(members, lr.tensor_split(len(members)), strict=True)
        own = [each.picture_of(each.trunk(share)) for each, share in shares if len(share)]
        return torch.cat(own).to(lr.dtype) + self._base(lr)

    def trunk(self, lr: Tensor) -> Tensor:
        """(N, 3, H, W) in [0, 1] to (N, channels, H, W): the first member's features."""
        features: Tensor = self.body(self.head(lr - 0.5))
        return features

    def picture_of(self, features: Tensor) -> Tensor:
        """(N, channels, H, W) to (N, 3, scale * H, scale * W): what the first member adds."""
        picture: Tensor = self.tail(features)
        return picture

    def _base(self, lr: Tensor) -> Tensor | float:
        return enlarge(lr, self.scale) if self.add_bicubic else 0.5

    def features_of(self, lr: Tensor) -> Tensor:
        """(N, 3, H, W) in [0, 1] to (N, members * channels, H, W): the trunk."""
        features = [each.trunk(lr) for each in self._members()]
        whole: Tensor = self.together(torch.cat(features, dim=1)) if self.others else features[0]
        return whole

    def sr_of(self, features: Tensor, lr: Tensor) -> Tensor:
        """Features (N, members * channels, H, W) and their LR to SR: the tail."""
        members = self._members()
        parts = zip(members, features.chunk(len(members), dim=1), strict=True)
        pictures = [each.picture_of(part).to(lr.dtype) for each, part in parts]
        mean = torch.stack(pictures).mean(0) if self.others else pictures[0]
        return mean + self._base(lr)


def build(settings: Settings) -> nn.Module:
    """A freshly initialised SRResNet."""
    return SRResNet(settings)
