"""CycleGAN's discriminator, a PatchGAN.

Phillip Isola, Jun-Yan Zhu, Tinghui Zhou, Alexei Efros. Image-to-Image Translation with Conditional
Adversarial Networks. CVPR 2017. https://arxiv.org/abs/1611.07004, section 3.2.2; as CycleGAN uses
it: Jun-Yan Zhu et al. ICCV 2017. https://arxiv.org/abs/1703.10593, appendix 7.2.

This is the one published re-implementations for super-resolution have: without the layer of 512
channels, so that a logit sees 46 pixels instead of 70, and without instance normalisation. Images
are [0, 1] and brought to [-1, 1] inside.
"""

from dataclasses import dataclass

from torch import Tensor, nn

from srmodels.errors import ConfigError
from srmodels.models._layers import check_counts, normal_

__all__ = ["ROLE", "CycleGANDiscriminator", "Settings", "build"]

ROLE = "discriminator"
_SLOPE = 0.2


@dataclass(frozen=True, kw_only=True)
class Settings:
    """The published network.

    Attributes:
        channels: Feature maps of the first stage; doubled by each stage up to eight times as many.
        num_stages: Convolutions that halve the picture; one more makes the logits. Fewer stages
            judge smaller patches: a logit of 1, 2, 3, 4 stages sees 10, 22, 46, 94 pixels.
    """

    channels: int = 64
    num_stages: int = 3

    def __post_init__(self) -> None:
        check_counts(self, "channels", "num_stages")

    @property
    def least_side(self) -> int:
        """Pixels a picture's shorter side must have."""
        return 2 << self.num_stages


class CycleGANDiscriminator(nn.Module):
    """4x4 convolutions: `num_stages` with stride 2 and LeakyReLU, one to a map of logits."""

    def __init__(self, settings: Settings) -> None:
        super().__init__()
        self.least_side = settings.least_side
        layers: list[nn.Module] = []
        before = 3
        for stage in range(settings.num_stages):
            after = settings.channels * 2 ** min(stage, 3)
            layers.append(nn.Conv2d(before, after, 4, stride=2, padding=1))
            layers.append(nn.LeakyReLU(_SLOPE, inplace=True))
            before = after
        self.layers = nn.Sequential(*layers, nn.Conv2d(before, 1, 4, padding=1))
        normal_(self, 0.02)  # appendix 7.1

    def forward(self, images: Tensor) -> Tensor:
        """(N, 3, H, W) in [0, 1] to logits (N, 1, h, w), h = floor(H / 2^num_stages) - 1.

        Raises:
            ConfigError: The images are so small that no logit is left.
        """
        height, width = images.shape[-2:]
        if min(height, width) < self.least_side:
            raise ConfigError(
                f"cyclegan_discriminator.num_stages: the patches are too small (found {height} x "
                f"{width}, at least {self.least_side} x {self.least_side} is right); lower "
                "num_stages or raise patch_size"
            )
        logits: Tensor = self.layers(images * 2 - 1)
        return logits.to(images.dtype)


def build(settings: Settings) -> nn.Module:
    """A freshly initialised discriminator."""
    return CycleGANDiscriminator(settings)
