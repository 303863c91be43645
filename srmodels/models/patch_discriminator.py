"""A fully convolutional discriminator with spectral normalisation.

The convolutions of SRGAN's discriminator (Ledig et al. 2017, https://arxiv.org/abs/1609.04802,
figure 4) judging overlapping patches (Isola et al. 2017, https://arxiv.org/abs/1611.07004, section
3.2.2), every one of them under spectral normalisation (Miyato et al. 2018,
https://arxiv.org/abs/1802.05957) and without BN.

Where this differs: 1x1 convolutions in place of SRGAN's dense layers, so it takes any size; 3x3
kernels in place of Isola's 4x4, because even ones with stride 2 feed a checkerboard back.
"""

from dataclasses import dataclass

from torch import Tensor, nn

from srmodels.models._layers import check_counts, conv
from srmodels.models._spectral_norm import spectral

__all__ = ["ROLE", "PatchDiscriminator", "Settings", "build"]

ROLE = "discriminator"
_SLOPE = 0.2


@dataclass(frozen=True, kw_only=True)
class Settings:
    """SRGAN's widths by default.

    Attributes:
        channels: Feature maps of the first stage; doubled by each stage up to eight times as many.
        num_stages: Pairs of convolutions; each halves the picture once. Fewer stages judge smaller
            patches: a logit of 1, 2, 3, 4 stages sees 5, 13, 29, 61 HR pixels.
    """

    channels: int = 64
    num_stages: int = 4

    def __post_init__(self) -> None:
        check_counts(self, "channels", "num_stages")


class PatchDiscriminator(nn.Module):
    """3x3 convolutions in pairs, the second with stride 2, then 1x1 to a map of logits."""

    def __init__(self, settings: Settings) -> None:
        super().__init__()
        layers: list[nn.Module] = []
        before = 3
        for stage in range(settings.num_stages):
            after = settings.channels * 2 ** min(stage, 3)
            for stride in (1, 2):
                layers.append(spectral(conv(before, after, stride=stride), slope=_SLOPE))
                layers.append(nn.LeakyReLU(_SLOPE, inplace=True))
                before = after
        self.features = nn.Sequential(*layers)
        self.classifier = nn.Sequential(
            spectral(conv(before, 2 * before, 1), slope=_SLOPE),
            nn.LeakyReLU(_SLOPE, inplace=True),
            spectral(conv(2 * before, 1, 1), slope=_SLOPE),
        )

    def forward(self, images: Tensor) -> Tensor:
        """(N, 3, H, W) in [0, 1] to logits (N, 1, h, w), h = H / 2^num_stages rounded up."""
        logits: Tensor = self.classifier(self.features(images * 2 - 1))
        return logits.to(images.dtype)


def build(settings: Settings) -> nn.Module:
    """A freshly initialised discriminator."""
    return PatchDiscriminator(settings)
