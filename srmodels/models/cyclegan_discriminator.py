"""CycleGAN's discriminator, a PatchGAN.

Isola, Zhu, Zhou, Efros. Image-to-Image Translation with Conditional Adversarial Networks. CVPR
2017. https://arxiv.org/abs/1611.07004, section 3.2.2, as in CycleGAN
(https://arxiv.org/abs/1703.10593, appendix 7.2). Differences, as in published re-implementations
for super-resolution: no layer of 512 channels, so a logit sees 46 pixels instead of 70, and no
instance normalisation. Images are in [0, 1]; the network works in [-1, 1] inside.
"""

from dataclasses import dataclass

from torch import Tensor, nn

from srmodels.errors import ConfigError
from srmodels.models._layers import check_settings, normal_

ROLE = "discriminator"
_SLOPE = 0.2


@dataclass(frozen=True, kw_only=True)
class Settings:
    """The published network. A logit of 1, 2, 3, 4 stages sees 10, 22, 46, 94 pixels."""

    channels: int = 64  # of the first stage; each stage doubles them, up to eight times
    num_stages: int = 3  # convolutions with stride 2

    def __post_init__(self) -> None:
        check_settings(self, "channels", "num_stages")

    @property
    def min_input_size(self) -> int:
        """Least height and width of a picture, in pixels."""
        return 2 << self.num_stages


class CycleGANDiscriminator(nn.Module):
    """4x4 convolutions: `num_stages` with stride 2 and LeakyReLU, then one to a map of logits."""

    def __init__(self, settings: Settings) -> None:
        super().__init__()
        self.min_input_size = settings.min_input_size
        layers: list[nn.Module] = []
        channels_in = 3
        for stage in range(settings.num_stages):
            channels = settings.channels * 2 ** min(stage, 3)
            layers.append(nn.Conv2d(channels_in, channels, 4, stride=2, padding=1))
            layers.append(nn.LeakyReLU(_SLOPE, inplace=True))
            channels_in = channels
        self.layers = nn.Sequential(*layers, nn.Conv2d(channels_in, 1, 4, padding=1))
        normal_(self, 0.02)  # appendix 7.1

    def forward(self, images: Tensor) -> Tensor:
        """(N, 3, H, W) in [0, 1] to logits (N, 1, h, w), h = floor(H / 2^num_stages) - 1."""
        height, width = images.shape[-2:]
        if min(height, width) < self.min_input_size:
            raise ConfigError(
                "cyclegan_discriminator.num_stages: the patches are too small (got "
                f"{height} x {width}, need {self.min_input_size} x {self.min_input_size}). Lower "
                "num_stages or raise patch_size."
            )
        logits: Tensor = self.layers(images * 2 - 1)
        return logits.to(images.dtype)
