"""A U-Net discriminator with spectral normalisation: Real-ESRGAN's.

Xintao Wang, Liangbin Xie, Chao Dong, Ying Shan. Real-ESRGAN: Training Real-World Blind
Super-Resolution with Pure Synthetic Data. ICCV workshops 2021. https://arxiv.org/abs/2107.10833,
section 3.4 and figure 6. A U-Net that judges every pixel: Edgar Schoenfeld, Bernt Schiele, Anna
Khoreva. CVPR 2020. https://arxiv.org/abs/2002.12655

Layers, sizes and biases are the public code's, ten convolutions of which all but the first and the
last are normalised. Where this differs from it:

- Images are brought to [-1, 1] inside.
- A picture is mirrored to a multiple of 8, so that every size works; for multiples nothing changes.
- The norm's power iteration is ours (see `_spectral_norm`), as are the names of its parts.
"""

from dataclasses import dataclass

import torch.nn.functional as F
from torch import Tensor, nn

from srmodels.models._layers import check_counts, conv, kaiming_
from srmodels.models._spectral_norm import spectral
from srmodels.models._windows import mirror_to_multiple

__all__ = ["ROLE", "Settings", "UNetDiscriminator", "build"]

ROLE = "discriminator"
_SLOPE = 0.2
_SHRINKS = 8  # the deepest features are so many times smaller than the picture


@dataclass(frozen=True, kw_only=True)
class Settings:
    """The public network.

    Attributes:
        channels: Feature maps at the picture's size; the deepest have eight times as many.
    """

    channels: int = 64

    def __post_init__(self) -> None:
        check_counts(self, "channels")


def _down(before: int, after: int) -> nn.Module:
    return spectral(nn.Conv2d(before, after, 4, stride=2, padding=1, bias=False), slope=_SLOPE)


def _level(before: int, after: int) -> nn.Module:
    return spectral(nn.Conv2d(before, after, 3, padding=1, bias=False), slope=_SLOPE)


def _twice(features: Tensor) -> Tensor:
    return F.interpolate(features, scale_factor=2, mode="bilinear", align_corners=False)


class UNetDiscriminator(nn.Module):
    """Figure 6: three strides down, three bilinear enlargements up, features added across."""

    def __init__(self, settings: Settings) -> None:
        super().__init__()
        channels = settings.channels
        self.conv0 = conv(3, channels)
        self.conv1 = _down(channels, 2 * channels)
        self.conv2 = _down(2 * channels, 4 * channels)
        self.conv3 = _down(4 * channels, 8 * channels)
        self.conv4 = _level(8 * channels, 4 * channels)
        self.conv5 = _level(4 * channels, 2 * channels)
        self.conv6 = _level(2 * channels, channels)
        self.conv7 = _level(channels, channels)
        self.conv8 = _level(channels, channels)
        self.conv9 = conv(channels, 1)
        for layer in (self.conv0, self.conv9):
            kaiming_(layer, slope=_SLOPE)

    def _activated(self, number: int, features: Tensor) -> Tensor:
        layer = self.get_submodule(f"conv{number}")
        return F.leaky_relu(layer(features), _SLOPE, inplace=True)

    def forward(self, images: Tensor) -> Tensor:
        """(N, 3, H, W) in [0, 1] to logits (N, 1, H, W), one a pixel."""
        height, width = images.shape[-2:]
        across = [self._activated(0, mirror_to_multiple(images, _SHRINKS) * 2 - 1)]
        for number in (1, 2, 3):
            across.append(self._activated(number, across[-1]))
        features = across.pop()
        for number in (4, 5, 6):
            features = self._activated(number, _twice(features)) + across.pop()
        features = self._activated(8, self._activated(7, features))
        logits: Tensor = self.conv9(features)[..., :height, :width]
        return logits.to(images.dtype)


def build(settings: Settings) -> nn.Module:
    """A freshly initialised discriminator."""
    return UNetDiscriminator(settings)
