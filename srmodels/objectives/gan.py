"""A generator against a discriminator; which GAN it is, is a choice of loss functions.

SRGAN: Christian Ledig et al. Photo-Realistic Single Image Super-Resolution Using a Generative
Adversarial Network. CVPR 2017. https://arxiv.org/abs/1609.04802, eqs. 3-6; the defaults are its.
ESRGAN: Xintao Wang et al. ECCV workshops 2018. https://arxiv.org/abs/1809.00219, eqs. 1-3: kind
relativistic_average, pixel_loss l1, weights 1e-2, 1 and 5e-3.

SRGAN's content loss is the perceptual one alone, so the default weight of the pixel term is 0. A
recipe that trains on few pictures or without ImageNet weights should keep the pixel term: nothing
else holds the colours.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field

import torch
from torch import Tensor, nn

from srmodels.data.batches.batch import Batch
from srmodels.losses.adversarial import (
    AdversarialKind,
    discriminator_loss,
    generator_loss,
    needs_real,
)
from srmodels.losses.gradient_penalty import r1
from srmodels.losses.perceptual import Perceptual, PerceptualSettings
from srmodels.losses.pixel import PixelKind, pixel_loss
from srmodels.objectives._window import shifted
from srmodels.objectives.turn import Losses, Memo, Turn

__all__ = ["ROLES", "GanSettings", "GanWeights", "Settings", "gan_turns", "turns"]

ROLES = ("generator", "discriminator")


@dataclass(frozen=True, kw_only=True)
class GanWeights:
    """What each term of the generator is multiplied by; a term of weight 0 is not computed."""

    pixel: float = 0.0
    perceptual: float = 1.0
    adversarial: float = 1e-3

    def __post_init__(self) -> None:
        weights = (self.pixel, self.perceptual, self.adversarial)
        if min(weights) < 0 or max(weights) == 0:
            raise ValueError("weights must be 0 or more, and one of them above 0")


@dataclass(frozen=True, kw_only=True)
class GanSettings:
    """SRGAN's by default.

    Attributes:
        kind: Which adversarial losses.
        pixel_loss: Which pixel loss; Charbonnier's epsilon is the published one.
        weights: Of the generator's terms.
        perceptual: The perceptual loss; None where its weight is 0.
        shift: The discriminator sees SR and HR less so many HR pixels on each axis, at a random
            place. 0 shows it all, and then its strided convolutions always meet the same pixels of
            the enlarging grid, which become dots; 2^(number of strides) - 1 prevents that.
        r1: Weight of the discriminator's gradient penalty, the gamma of Mescheder et al. 2018
            (arXiv:1801.04406, eq. 9); 0 means none.
        r1_every: Steps between two steps that compute it, then so many times as strong.
    """

    kind: AdversarialKind = "vanilla"
    pixel_loss: PixelKind = "mse"
    weights: GanWeights = field(default_factory=GanWeights)
    perceptual: PerceptualSettings | None = field(default_factory=PerceptualSettings)
    shift: int = 0
    r1: float = 0.0
    r1_every: int = 16

    def __post_init__(self) -> None:
        if self.shift < 0:
            raise ValueError("shift must be 0 or more HR pixels")
        if self.r1 < 0:
            raise ValueError("r1 must be 0 (no gradient penalty) or more")
        if self.r1_every < 1:
            raise ValueError("r1_every must be 1 step or more")
        if self.weights.perceptual > 0 and self.perceptual is None:
            raise ValueError("perceptual must be given where weights.perceptual is above 0")


Settings = GanSettings


def _generator_turn(
    generator: nn.Module,
    discriminator: nn.Module,
    settings: GanSettings,
    perceptual: Perceptual | None,
) -> Turn:
    weights = settings.weights
    pixel = pixel_loss(settings.pixel_loss)

    def adversarial(sr: Tensor, hr: Tensor) -> Tensor:
        real = None
        sr, hr = shifted(settings.shift, sr, hr)
        if needs_real(settings.kind):
            with torch.no_grad():  # nothing of the generator is in it
                real = discriminator(hr)
        return generator_loss(settings.kind, fake=discriminator(sr), real=real)

    def losses(batch: Batch, memo: Memo) -> Losses:
        sr = generator(batch.lr)
        memo["sr"] = sr.detach()
        terms: Losses = {}
        if weights.pixel:
            terms["pixel"] = weights.pixel * pixel(sr, batch.hr)
        if weights.perceptual:
            assert perceptual is not None, "a perceptual weight needs the perceptual loss"
            terms["perceptual"] = weights.perceptual * perceptual(sr, batch.hr)
        if weights.adversarial:
            terms["adversarial"] = weights.adversarial * adversarial(sr, batch.hr)
        return terms

    return Turn("generator", (generator,), losses)


def _penalty(discriminator: nn.Module, settings: GanSettings, hr: Tensor, memo: Memo) -> Tensor:
    """The weighted gradient penalty; 0 on the steps between, so that a curve's mean is right."""
    if "step" in memo and int(memo["step"]) % settings.r1_every:
        return hr.new_zeros(())
    return settings.r1 * settings.r1_every * r1(discriminator, hr)


def _discriminator_turn(discriminator: nn.Module, settings: GanSettings) -> Turn:
    def losses(batch: Batch, memo: Memo) -> Losses:
        # two passes, not one of both: each has its own BN statistics (SRGAN's discriminator has BN)
        hr, sr = shifted(settings.shift, batch.hr, memo["sr"])
        real, fake = discriminator(hr), discriminator(sr)
        memo["d_real"], memo["d_fake"] = real.detach().mean(), fake.detach().mean()
        terms = {"adversarial": discriminator_loss(settings.kind, fake=fake, real=real)}
        if settings.r1:
            terms["r1"] = _penalty(discriminator, settings, hr, memo)
        return terms

    return Turn("discriminator", (discriminator,), losses)


def gan_turns(
    generator: nn.Module,
    discriminator: nn.Module,
    settings: GanSettings,
    perceptual: Perceptual | None,
) -> tuple[Turn, ...]:
    """The generator descends "pixel", "perceptual", "adversarial"; the discriminator "adversarial".

    Where settings.r1 is above 0, the discriminator descends "r1" as well.
    The memo holds "sr", detached, and after the discriminator's turn the mean logits of real and
    fake images, "d_real" and "d_fake".
    """
    return (
        _generator_turn(generator, discriminator, settings, perceptual),
        _discriminator_turn(discriminator, settings),
    )


def turns(
    networks: Mapping[str, nn.Module], settings: GanSettings, device: torch.device | None
) -> tuple[Turn, ...]:
    """The turns, for networks by role, with the perceptual loss's own network on the device."""
    perceptual = None
    if settings.weights.perceptual and settings.perceptual is not None:
        perceptual = Perceptual(settings.perceptual).placed(device)
    return gan_turns(networks["generator"], networks["discriminator"], settings, perceptual)
