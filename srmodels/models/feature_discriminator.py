"""A discriminator of frozen VGG16 features (Sauer et al. 2021, https://arxiv.org/abs/2111.01007).

Each layer's features have a head of spectrally normalised convolutions.
"""

from dataclasses import dataclass

import torch
from torch import Tensor, nn

from srmodels.losses.perceptual import vgg
from srmodels.models._layers import check_settings, conv
from srmodels.models._spectral_norm import spectral

ROLE = "discriminator"
_SLOPE = 0.2
_WIDTH = {"1": 64, "2": 128, "3": 256, "4": 512, "5": 512}


@dataclass(frozen=True, kw_only=True)
class Settings:
    channels: int = 64
    layers: tuple[str, ...] = ("relu1_2", "relu2_2", "relu3_3")
    patch: bool = False

    def __post_init__(self) -> None:
        check_settings(self, "channels")


class FeatureDiscriminator(nn.Module):
    def __init__(self, settings: Settings) -> None:
        super().__init__()
        self.names = [n.replace(".", "_") for n in settings.layers]
        self.frozen = [vgg("vgg16", settings.layers, weights="imagenet").to(memory_format=torch.channels_last)]
        for p in self.frozen[0].parameters():
            p.requires_grad_(False)
        self.heads = nn.ModuleDict()
        self.norms = {}
        for name in settings.layers:
            width = _WIDTH[name[4]]
            c = settings.channels
            block = int(name[4])
            self.heads[name] = nn.Sequential(
                spectral(conv(width, c, 1), slope=_SLOPE),
                nn.LeakyReLU(_SLOPE, inplace=True),
                spectral(conv(c, c, stride=2 if block < 3 else 1), slope=_SLOPE),
                nn.LeakyReLU(_SLOPE, inplace=True),
                spectral(conv(c, c, stride=2 if block < 2 else 1), slope=_SLOPE),
                nn.LeakyReLU(_SLOPE, inplace=True),
                spectral(conv(c, 1, 1), slope=_SLOPE),
            )
        self.patch = None
        if settings.patch:
            from srmodels.models.patch_discriminator import PatchDiscriminator
            from srmodels.models.patch_discriminator import Settings as P
            self.patch = PatchDiscriminator(P(channels=32, num_stages=3))

    def forward(self, images: Tensor) -> Tensor:
        found = self.frozen[0](images)
        logits = []
        for name, head in self.heads.items():
            f = found[name]
            f = f * torch.rsqrt(f.square().mean(dim=1, keepdim=True) + 1e-6)
            l = head(f)
            logits.append(l)
        if self.patch is not None:
            logits.append(self.patch(images))
        side = logits[0].shape[-2:]
        logits = [x if x.shape[-2:] == side else nn.functional.interpolate(x, size=side, mode='nearest') for x in logits]
        return torch.cat(logits, 1).to(images.dtype)
