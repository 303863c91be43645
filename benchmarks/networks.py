"""The networks, losses and crop sizes that benchmarks of training steps have in common."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import torch
from torch import nn

from srmodels import models, params
from srmodels.losses.perceptual import Perceptual, PerceptualSettings
from srmodels.objectives import pixel
from srmodels.objectives.gan import Settings as GanSettings
from srmodels.objectives.gan import gan_turns
from srmodels.objectives.pixel import Settings as PixelSettings
from srmodels.objectives.turn import Turn
from srmodels.recipe import Recipe

BATCH, PATCH = 16, 24
NETWORKS = {  # and the recipes in params.yaml whose networks they are
    "SRCNN": "srcnn",
    "SRResNet": "srresnet",
    "SRGAN": "srgan",
    "EDSR-baseline": "edsr",
    "RRDB-23": "esrgan",
    "SwinIR": "swinir",
}
_PARAMS = Path(__file__).parents[1] / "params.yaml"


@dataclass(frozen=True)
class Size:
    """Crops of a step, their side in LR pixels, and the preset that has the networks' settings."""

    batch: int = BATCH
    patch: int = PATCH
    preset: str = "paper"


def _recipe(work: str, preset: str) -> Recipe:
    return params.load(_PARAMS, model=NETWORKS[work], preset=preset).recipe


def size_of(work: str, preset: str) -> Size:
    """The crops of one of `NETWORKS` in a preset of params.yaml."""
    recipe = _recipe(work, preset)
    section = recipe.adversarial if work == "SRGAN" else recipe.pretrain
    assert section is not None, "SRGAN has a GAN phase"
    return Size(section.training.batch_size, section.training.patch_size, preset)


def build_networks(work: str, preset: str = "paper") -> dict[str, nn.Module]:
    """The networks of one of `NETWORKS`, by role."""
    torch.manual_seed(0)
    recipe = _recipe(work, preset)
    networks = {"generator": recipe.generator}
    if work == "SRGAN" and recipe.adversarial:
        networks |= recipe.adversarial.opponents
    return {role: models.build(each.name, each.settings).train() for role, each in networks.items()}


def build_turns(networks: dict[str, nn.Module], perceptual: Perceptual | None) -> Sequence[Turn]:
    """The turns of a GAN, or without a perceptual loss of a pixel loss."""
    if perceptual is None:
        return pixel.turns(networks, PixelSettings(kind="mse"))
    return gan_turns(networks["generator"], networks["discriminator"], GanSettings(), perceptual)


def random_perceptual(work: str) -> Perceptual | None:
    """SRGAN's, as much work as with ImageNet's weights, without a download; None for others."""
    return Perceptual(PerceptualSettings(weights="random")) if work == "SRGAN" else None
