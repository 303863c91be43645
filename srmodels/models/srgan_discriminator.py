"""SRGAN's discriminator: Photo-Realistic Single Image Super-Resolution Using a GAN.

Ledig et al. CVPR 2017, figure 4 (below). https://arxiv.org/abs/1609.04802. Differences: the output
is the logit, without sigmoid; images are in [0, 1] and the network works in [-1, 1] inside; He
initialisation, which the paper leaves open.
"""

from dataclasses import dataclass

from torch import Tensor, nn

from srmodels.errors import ConfigError
from srmodels.models._layers import check_settings, conv, kaiming_

ROLE = "discriminator"
_SLOPE = 0.2
_STAGES = 4  # each halves the picture


@dataclass(frozen=True, kw_only=True)
class Settings:
    """Figure 4's discriminator."""

    patch_size: int = 96  # HR pixels of a patch's side, a multiple of 16
    channels: int = 64  # of the first convolution; the last has eight times as many

    def __post_init__(self) -> None:
        check_settings(self, "channels")
        if self.patch_size < 16 or self.patch_size % 2**_STAGES:
            raise ValueError(f"patch_size must be a multiple of {2**_STAGES}")


class SRGANDiscriminator(nn.Module):
    """Figure 4: 3x3 convolutions, every second with stride 2, then dense layers to one logit."""

    def __init__(self, settings: Settings) -> None:
        super().__init__()
        self.patch_size = settings.patch_size
        layers: list[nn.Module] = []
        channels_in = 3
        for stage in range(_STAGES):
            channels = settings.channels * 2**stage
            for stride in (1, 2):
                layers.append(conv(channels_in, channels, stride=stride))
                if channels_in != 3:  # no BN after the first convolution
                    layers.append(nn.BatchNorm2d(channels))
                layers.append(nn.LeakyReLU(_SLOPE, inplace=True))
                channels_in = channels
        self.features = nn.Sequential(*layers)
        self.classifier = nn.Sequential(
            nn.Flatten(),
            nn.Linear(channels_in * (settings.patch_size // 2**_STAGES) ** 2, 1024),
            nn.LeakyReLU(_SLOPE, inplace=True),
            nn.Linear(1024, 1),
        )
        for layer in self.modules():
            if isinstance(layer, nn.Conv2d | nn.Linear):
                kaiming_(layer, slope=_SLOPE)

    def forward(self, images: Tensor) -> Tensor:
        """Patches (N, 3, patch_size, patch_size) in [0, 1] to logits (N, 1); above 0 is real."""
        height, width = images.shape[-2:]
        if (height, width) != (self.patch_size, self.patch_size):
            raise ConfigError(
                f"srgan_discriminator.patch_size: the HR patches do not fit (got {height} x "
                f"{width}, patch_size {self.patch_size}). Set patch_size to the HR patch's size."
            )
        logits: Tensor = self.classifier(self.features(images * 2 - 1))
        return logits.to(images.dtype)
