"""SRGAN's discriminator: Photo-Realistic Single Image Super-Resolution Using a GAN.

Christian Ledig, Lucas Theis, Ferenc Huszar, et al. CVPR 2017, figure 4 (below).
https://arxiv.org/abs/1609.04802

Where this differs from the paper: it gives the logit, and the sigmoid is the loss's affair; images
are in [0, 1] and brought to [-1, 1] inside; He initialisation, of which the paper says nothing.
"""

from dataclasses import dataclass

from torch import Tensor, nn

from srmodels.errors import ConfigError
from srmodels.models._layers import check_counts, conv, kaiming_

__all__ = ["ROLE", "SRGANDiscriminator", "Settings", "build"]

ROLE = "discriminator"
_SLOPE = 0.2
_STRIDES = 4  # convolutions that halve the picture


@dataclass(frozen=True, kw_only=True)
class Settings:
    """Figure 4's discriminator by default.

    Attributes:
        patch_size: Side of the square HR patches it takes, and no others, in HR pixels.
        channels: Feature maps of the first convolution; the last has eight times as many.
    """

    patch_size: int = 96
    channels: int = 64

    def __post_init__(self) -> None:
        check_counts(self, "channels")
        if self.patch_size < 16 or self.patch_size % 2**_STRIDES:
            raise ValueError(f"patch_size must be a multiple of {2**_STRIDES}")


def _features(channels: int) -> nn.Sequential:
    """Eight 3x3 convolutions, every second one with stride 2; BN from the second on."""
    layers: list[nn.Module] = []
    before = 3
    for stage in range(_STRIDES):
        after = channels * 2**stage
        for stride in (1, 2):
            layers.append(conv(before, after, stride=stride))
            if before != 3:
                layers.append(nn.BatchNorm2d(after))
            layers.append(nn.LeakyReLU(_SLOPE, inplace=True))
            before = after
    return nn.Sequential(*layers)


class SRGANDiscriminator(nn.Module):
    """Figure 4's discriminator: one logit for a whole patch of a fixed size."""

    def __init__(self, settings: Settings) -> None:
        super().__init__()
        self.patch_size = settings.patch_size
        self.features = _features(settings.channels)
        side = settings.patch_size // 2**_STRIDES
        self.classifier = nn.Sequential(
            nn.Flatten(),
            nn.Linear(8 * settings.channels * side**2, 1024),
            nn.LeakyReLU(_SLOPE, inplace=True),
            nn.Linear(1024, 1),
        )
        for layer in self.modules():
            if isinstance(layer, nn.Conv2d | nn.Linear):
                kaiming_(layer, slope=_SLOPE)

    def forward(self, images: Tensor) -> Tensor:
        """Patches (N, 3, patch_size, patch_size) in [0, 1] to logits (N, 1); above 0 is real.

        Raises:
            ConfigError: The patches have another size.
        """
        height, width = images.shape[-2:]
        if (height, width) != (self.patch_size, self.patch_size):
            raise ConfigError(
                f"srgan_discriminator.patch_size: the HR patches do not fit (found {height} x "
                f"{width}, patch_size {self.patch_size}); make patch_size the HR patch's size"
            )
        logits: Tensor = self.classifier(self.features(images * 2 - 1))
        return logits.to(images.dtype)


def build(settings: Settings) -> nn.Module:
    """A freshly initialised discriminator."""
    return SRGANDiscriminator(settings)
