"""SRVGGNetCompact: Real-ESRGAN's small network for video ("Compact").

Xintao Wang, Liangbin Xie, Chao Dong, Ying Shan. Real-ESRGAN: Training Real-World Blind
Super-Resolution with Pure Synthetic Data. ICCV workshops 2021. https://arxiv.org/abs/2107.10833
The network is in the public code (https://github.com/xinntao/Real-ESRGAN), not in the paper.

The defaults are those of realesr-animevideov3. Parameters have the public names.

Difference: the last layer is initialised times 0.1, so training starts near the nearest-neighbour
enlargement that the network adds.
"""

from dataclasses import dataclass

import torch.nn.functional as F
from torch import Tensor, nn

from srmodels.models._cpu_layers import PixelShuffle, PReLU
from srmodels.models._layers import check_settings, conv, kaiming_
from srmodels.models._trunk_tail import TrunkTail

ROLE = "generator"
_SLOPE = 0.25  # PyTorch's first slope of a PReLU
_GAIN = 0.1  # of the last layer at the start


@dataclass(frozen=True, kw_only=True)
class Settings:
    """realesr-animevideov3; realesr-general-x4v3 has num_blocks 32."""

    scale: int = 4
    num_blocks: int = 16  # convolutions between the first and the last
    channels: int = 64  # feature maps

    def __post_init__(self) -> None:
        check_settings(self, "num_blocks", "channels")


class SRVGG(TrunkTail):
    """Convolutions with PReLUs at LR's size, PixelShuffle, plus LR enlarged by nearest."""

    def __init__(self, settings: Settings) -> None:
        super().__init__()
        channels = settings.channels
        self.scale = settings.scale
        self.trunk_padding = 1 + settings.num_blocks
        self.tail_padding = 1
        self.padding = self.trunk_padding + self.tail_padding
        self.shuffle = PixelShuffle(settings.scale)
        self.body = nn.ModuleList()
        for number in range(1 + settings.num_blocks):
            layer = conv(channels if number else 3, channels)
            kaiming_(layer, slope=_SLOPE)
            self.body += [layer, PReLU(channels, _SLOPE)]
        last = conv(channels, 3 * settings.scale**2)
        kaiming_(last, gain=_GAIN, slope=1)
        self.body.append(last)

    def features_of(self, lr: Tensor) -> Tensor:
        """The trunk: (N, 3, H, W) in [0, 1] to (N, channels, H, W)."""
        features = lr
        for layer in self.body[:-1]:
            features = layer(features)
        return features

    def sr_of(self, features: Tensor, lr: Tensor) -> Tensor:
        """The tail: features (N, channels, H, W) and LR to SR."""
        change: Tensor = self.shuffle(self.body[-1](features)).to(lr.dtype)
        return change + F.interpolate(lr, scale_factor=float(self.scale), mode="nearest")
