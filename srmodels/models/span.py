"""SPAN: Swift Parameter-free Attention Network for Efficient Super-Resolution.

Cheng Wan, Hongyuan Yu, Zhiqi Li, Yihang Chen, Yajun Zou, Yuqing Liu, Xuanwu Yin, Kunlong Zuo. CVPR
workshops 2024. https://arxiv.org/abs/2311.12770

The defaults are the paper's (498 K parameters at x4). With 28 channels it is the winner of the
efficient super-resolution challenge of NTIRE 2024 (151 K, https://arxiv.org/abs/2404.10343).

Differences from the public code (https://github.com/hongyuanyu/SPAN):

- A convolution is one 3x3 convolution in training, too, not the sum of two branches that are merged
  afterwards (section 3.3). Public weights are merged while they load.
- Initialisation: He et al. 2015; the last layer times 0.1, with the mean colour as its bias.
"""

from collections.abc import MutableMapping
from dataclasses import dataclass
from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from srmodels.models._cpu_layers import PixelShuffle
from srmodels.models._layers import RGB_MEAN, check_settings, conv, kaiming_
from srmodels.models._trunk_tail import TrunkTail

ROLE = "generator"
_RANGE = 255.0  # of the public network's input
_GAIN = 0.1  # of the last layer at the start


@dataclass(frozen=True, kw_only=True)
class Settings:
    """The paper's network."""

    scale: int = 4
    num_blocks: int = 6  # attention blocks; the concatenation wants two or more
    channels: int = 52  # feature maps
    # whether the mean colour is subtracted from LR and the rest taken times 255
    centred: bool = True

    def __post_init__(self) -> None:
        check_settings(self, "num_blocks", "channels")


class _Block(nn.Module):
    """Figure 2: three convolutions, whose result is weighted by an odd function of itself."""

    def __init__(self, channels: int) -> None:
        super().__init__()
        self.c1_r, self.c2_r, self.c3_r = (conv(channels, channels) for _ in range(3))
        for layer in (self.c1_r, self.c2_r, self.c3_r):
            kaiming_(layer)

    def first(self, features: Tensor) -> Tensor:
        """The activated result of the first convolution, which the last concatenation takes."""
        return F.silu(self.c1_r(features))

    def rest(self, features: Tensor, first: Tensor) -> Tensor:
        third: Tensor = self.c3_r(F.silu(self.c2_r(first)))
        return (third + features) * (torch.sigmoid(third) - 0.5)


class SPAN(TrunkTail):
    """Figure 2: head, blocks, a concatenation of four feature maps, PixelShuffle."""

    mean: Tensor

    def __init__(self, settings: Settings) -> None:
        super().__init__()
        channels = settings.channels
        self.scale = settings.scale
        self.num_blocks = settings.num_blocks
        self.range = _RANGE if settings.centred else 1.0
        self.trunk_padding = 2 + 3 * settings.num_blocks
        self.tail_padding = 1
        self.padding = self.trunk_padding + self.tail_padding
        self.conv_1 = conv(3, channels)
        kaiming_(self.conv_1, gain=1 / self.range, slope=1)
        for number in range(1, settings.num_blocks + 1):
            self.add_module(f"block_{number}", _Block(channels))
        self.conv_2 = conv(channels, channels)
        self.conv_cat = conv(4 * channels, channels, 1)
        for layer in (self.conv_2, self.conv_cat):
            kaiming_(layer, slope=1)
        last = conv(channels, 3 * settings.scale**2)
        kaiming_(last, gain=_GAIN, slope=1)
        mean = torch.tensor(RGB_MEAN)
        with torch.no_grad():
            last.bias.copy_(mean.repeat_interleave(settings.scale**2))  # type: ignore[union-attr]  # conv has one
        self.upsampler = nn.Sequential(last, PixelShuffle(settings.scale))
        centre = mean if settings.centred else torch.zeros(3)
        self.register_buffer("mean", centre.view(1, 3, 1, 1), persistent=False)
        self.register_load_state_dict_pre_hook(_merge_branches)  # type: ignore[no-untyped-call]  # torch's is untyped

    def features_of(self, lr: Tensor) -> Tensor:
        """The trunk: (N, 3, H, W) in [0, 1] to (N, channels, H, W)."""
        head = self.conv_1((lr - self.mean) * self.range)
        outputs, firsts = [head], []
        for number in range(1, self.num_blocks + 1):
            block = self.get_submodule(f"block_{number}")
            assert isinstance(block, _Block), "built with them"
            firsts.append(block.first(outputs[-1]))
            outputs.append(block.rest(outputs[-1], firsts[-1]))
        joined = torch.cat([head, self.conv_2(outputs[-1]), outputs[1], firsts[-1]], dim=1)
        features: Tensor = self.conv_cat(joined)
        return features

    def sr_of(self, features: Tensor, lr: Tensor) -> Tensor:
        """The tail: features (N, channels, H, W) to SR; LR gives the data type."""
        sr: Tensor = self.upsampler(features).to(lr.dtype)
        return sr


def _merged(branches: MutableMapping[str, Any]) -> tuple[Tensor, Tensor]:
    """Weight and bias of one convolution equal to 1x1, 3x3 and 1x1 plus a 1x1 beside them."""
    first, middle, last = (branches[f"conv.{number}.weight"] for number in range(3))
    weight = torch.einsum("om,mnhw,ni->oihw", last[:, :, 0, 0], middle, first[:, :, 0, 0])
    bias = torch.einsum("mnhw,n->m", middle, branches["conv.0.bias"]) + branches["conv.1.bias"]
    bias = last[:, :, 0, 0] @ bias + branches["conv.2.bias"] + branches["sk.bias"]
    return weight + F.pad(branches["sk.weight"], (1, 1, 1, 1)), bias


def _merge_branches(_: SPAN, state: MutableMapping[str, Any], prefix: str, *__: object) -> None:
    """A hook before loading: merges the branches of public weights in place."""
    state.pop(f"{prefix}no_norm", None)  # says that the network is not centred
    for key in [key for key in state if key.startswith(prefix) and key.endswith(".sk.weight")]:
        layer = key.removesuffix("sk.weight")
        names = [name for name in state if name.startswith(layer)]
        branches = {name.removeprefix(layer): state.pop(name) for name in names}
        state[f"{layer}weight"], state[f"{layer}bias"] = _merged(branches)
