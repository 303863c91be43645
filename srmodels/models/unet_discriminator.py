"""A U-Net discriminator with spectral normalisation: Real-ESRGAN's.

Wang, Xie, Dong, Shan. ICCV workshops 2021. https://arxiv.org/abs/2107.10833, section 3.4 and figure
6, after Schoenfeld et al. CVPR 2020. https://arxiv.org/abs/2002.12655. Layers, sizes and biases are
those of the public code: ten convolutions, all but the first and last normalised. Differences from
it:

- Images are in [0, 1]; the network works in [-1, 1] inside.
- Pictures are mirrored to a multiple of 8, so any size works; multiples are unchanged.
- Power iteration and parameter names of the norm are those of `_spectral_norm`.
"""

from dataclasses import dataclass

import torch.nn.functional as F
from torch import Tensor, nn

from srmodels.models._layers import check_settings, conv, kaiming_
from srmodels.models._spectral_norm import spectral
from srmodels.models._windows import mirror_to_multiple

ROLE = "discriminator"
_SLOPE = 0.2
_STRIDE = 8  # of the deepest features


@dataclass(frozen=True, kw_only=True)
class Settings:
    """The public network."""

    channels: int = 64  # at the picture's size; the deepest features have eight times as many

    def __post_init__(self) -> None:
        check_settings(self, "channels")


def _spectral_conv(channels_in: int, channels: int, kernel: int = 3, stride: int = 1) -> nn.Module:
    layer = nn.Conv2d(channels_in, channels, kernel, stride, padding=1, bias=False)
    return spectral(layer, slope=_SLOPE)


class UNetDiscriminator(nn.Module):
    """Figure 6: three strided convolutions, three bilinear upsamplings, features added across."""

    def __init__(self, settings: Settings) -> None:
        super().__init__()
        channels = settings.channels
        self.conv0 = conv(3, channels)
        self.conv1 = _spectral_conv(channels, 2 * channels, 4, 2)
        self.conv2 = _spectral_conv(2 * channels, 4 * channels, 4, 2)
        self.conv3 = _spectral_conv(4 * channels, 8 * channels, 4, 2)
        self.conv4 = _spectral_conv(8 * channels, 4 * channels)
        self.conv5 = _spectral_conv(4 * channels, 2 * channels)
        self.conv6 = _spectral_conv(2 * channels, channels)
        self.conv7 = _spectral_conv(channels, channels)
        self.conv8 = _spectral_conv(channels, channels)
        self.conv9 = conv(channels, 1)
        for layer in (self.conv0, self.conv9):
            kaiming_(layer, slope=_SLOPE)

    def _conv(self, number: int, features: Tensor) -> Tensor:
        layer = self.get_submodule(f"conv{number}")
        return F.leaky_relu(layer(features), _SLOPE, inplace=True)

    def forward(self, images: Tensor) -> Tensor:
        """(N, 3, H, W) in [0, 1] to logits (N, 1, H, W), one per pixel."""
        height, width = images.shape[-2:]
        skips = [self._conv(0, mirror_to_multiple(images, _STRIDE) * 2 - 1)]
        for number in (1, 2, 3):
            skips.append(self._conv(number, skips[-1]))
        features = skips.pop()
        for number in (4, 5, 6):
            features = F.interpolate(features, scale_factor=2, mode="bilinear", align_corners=False)
            features = self._conv(number, features) + skips.pop()
        features = self._conv(8, self._conv(7, features))
        logits: Tensor = self.conv9(features)[..., :height, :width]
        return logits.to(images.dtype)
