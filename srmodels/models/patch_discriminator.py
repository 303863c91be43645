"""A fully convolutional discriminator with spectral normalisation.

The convolutions of SRGAN's discriminator (https://arxiv.org/abs/1609.04802, figure 4) on
overlapping patches (Isola et al. 2017, https://arxiv.org/abs/1611.07004, section 3.2.2), all with
spectral normalisation (Miyato et al. 2018, https://arxiv.org/abs/1802.05957) and without BN.
Differences: 1x1 convolutions instead of dense layers, so any picture size works; 3x3 kernels
instead of Isola's 4x4, because gradients of even kernels with stride 2 have a checkerboard.
"""

from dataclasses import dataclass

from torch import Tensor, nn

from srmodels.models._layers import check_settings, conv
from srmodels.models._spectral_norm import spectral

ROLE = "discriminator"
_SLOPE = 0.2


@dataclass(frozen=True, kw_only=True)
class Settings:
    """SRGAN's widths. A logit of 1, 2, 3, 4 stages sees 5, 13, 29, 61 HR pixels."""

    channels: int = 64  # of the first stage; each stage doubles them, up to eight times
    num_stages: int = 4  # pairs of convolutions, the second with stride 2

    def __post_init__(self) -> None:
        check_settings(self, "channels", "num_stages")


class PatchDiscriminator(nn.Module):
    """Pairs of 3x3 convolutions, then 1x1 convolutions to a map of logits."""

    def __init__(self, settings: Settings) -> None:
        super().__init__()
        layers: list[nn.Module] = []
        channels_in = 3
        for stage in range(settings.num_stages):
            channels = settings.channels * 2 ** min(stage, 3)
            for stride in (1, 2):
                layers.append(spectral(conv(channels_in, channels, stride=stride), slope=_SLOPE))
                layers.append(nn.LeakyReLU(_SLOPE, inplace=True))
                channels_in = channels
        self.features = nn.Sequential(*layers)
        self.classifier = nn.Sequential(
            spectral(conv(channels_in, 2 * channels_in, 1), slope=_SLOPE),
            nn.LeakyReLU(_SLOPE, inplace=True),
            spectral(conv(2 * channels_in, 1, 1), slope=_SLOPE),
        )

    def forward(self, images: Tensor) -> Tensor:
        """(N, 3, H, W) in [0, 1] to logits (N, 1, h, w), h = ceil(H / 2^num_stages)."""
        logits: Tensor = self.classifier(self.features(images * 2 - 1))
        return logits.to(images.dtype)
