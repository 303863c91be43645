"""A generator against a discriminator; the choice of loss functions makes SRGAN or ESRGAN of it.

SRGAN, https://arxiv.org/abs/1609.04802, eqs. 3-6: the default settings. ESRGAN,
https://arxiv.org/abs/1809.00219, eqs. 1-3: kind relativistic_average, pixel_loss l1, weights 1e-2,
1 and 5e-3. SRGAN has no pixel term. Recipes with few pictures or without ImageNet weights should
set one, since nothing else constrains the colours. LDL, https://arxiv.org/abs/2203.09195, adds the
artifact term to ESRGAN's: weights.artifact 1 beside weights.pixel 0.01. With ema_decay 0 the
average is the generator itself, and the term acts at all pixels.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field

import torch
from torch import Tensor, nn

from srmodels.config import check_least
from srmodels.data.batches.batch import Batch
from srmodels.losses.adversarial import (
    AdversarialKind,
    discriminator_loss,
    generator_loss,
    needs_real,
)
from srmodels.losses.artifact import artifact_loss
from srmodels.losses.gradient_penalty import r1
from srmodels.losses.perceptual import Perceptual, PerceptualSettings
from srmodels.losses.pixel import PixelKind, pixel_loss
from srmodels.objectives import _terms
from srmodels.objectives.turn import AVERAGE, Losses, Shared, Turn

ROLES = ("generator", "discriminator")


@dataclass(frozen=True, kw_only=True)
class GanWeights:
    """The weights of the generator's terms; a term of weight 0 is not computed."""

    pixel: float = 0.0  # multiplies the term; 0 leaves the term out
    perceptual: float = 1.0  # multiplies the term; 0 leaves the term out
    adversarial: float = 1e-3  # multiplies the term; 0 leaves the term out
    # multiplies LDL's term (Liang et al. 2022): L1 where the error of SR varies from pixel to pixel
    # and exceeds that of the averaged generator, which takes one more forward pass; 0 leaves the
    # term out
    artifact: float = 0.0

    def __post_init__(self) -> None:
        _terms.check_weights(self.pixel, self.perceptual, self.adversarial, self.artifact)


@dataclass(frozen=True, kw_only=True)
class Settings:
    """Losses of the generator and the discriminator; SRGAN's by default."""

    kind: AdversarialKind = "vanilla"  # which adversarial losses
    pixel_loss: PixelKind = "mse"  # which pixel loss; Charbonnier's epsilon is the published one
    weights: GanWeights = field(default_factory=GanWeights)  # the weights of the generator's terms
    # the perceptual loss; None where its weight is 0
    perceptual: PerceptualSettings | None = field(default_factory=PerceptualSettings)
    # The discriminator gets random crops of SR and HR, this many HR pixels smaller on each axis.
    # With 0, strided convolutions always meet the same pixels of the upsampling grid, and dots
    # appear in SR; 2^(number of strides) - 1 prevents them.
    shift: int = 0
    # weight of the discriminator's gradient penalty, gamma in Mescheder et al. 2018
    # (arXiv:1801.04406, eq. 9); 0 means none
    r1: float = 0.0
    # steps between two gradient penalties, each of which is multiplied by this number
    r1_every: int = 16

    def __post_init__(self) -> None:
        check_least(self, 0, "shift", "r1")
        check_least(self, 1, "r1_every")
        _terms.check_perceptual(self.weights.perceptual, self.perceptual)


def _generator_turn(
    generator: nn.Module,
    discriminator: nn.Module,
    settings: Settings,
    perceptual: Perceptual | None,
    average: nn.Module | None,
) -> Turn:
    weights = settings.weights
    pixel = pixel_loss(settings.pixel_loss)

    def adversarial(sr: Tensor, hr: Tensor) -> Tensor:
        real = None
        sr, hr = _terms.random_crop(settings.shift, sr, hr)
        if needs_real(settings.kind):
            with torch.no_grad():  # the logits of HR do not depend on the generator
                real = discriminator(hr)
        return generator_loss(settings.kind, fake=discriminator(sr), real=real)

    def artifact(sr: Tensor, batch: Batch) -> Tensor:
        assert average is not None, "an artifact weight needs the averaged generator"
        with torch.no_grad():
            sr_of_average = average(batch.lr)
        return artifact_loss(sr, batch.hr, sr_of_average)

    def losses(batch: Batch, shared: Shared) -> Losses:
        sr = generator(batch.lr)
        shared["sr"] = sr.detach()
        terms: Losses = {}
        if weights.pixel:
            terms["pixel"] = weights.pixel * pixel(sr, batch.hr)
        if weights.perceptual:
            assert perceptual is not None, "a perceptual weight needs the perceptual loss"
            terms["perceptual"] = weights.perceptual * perceptual(sr, batch.hr)
        if weights.adversarial:
            terms["adversarial"] = weights.adversarial * adversarial(sr, batch.hr)
        if weights.artifact:
            terms["artifact"] = weights.artifact * artifact(sr, batch)
        return terms

    return Turn("generator", (generator,), losses)


def _discriminator_turn(discriminator: nn.Module, settings: Settings) -> Turn:
    def gradient_penalty(hr: Tensor, shared: Shared) -> Tensor:
        if "step" in shared and int(shared["step"]) % settings.r1_every:
            return hr.new_zeros(())  # so that the curve's mean is right
        return settings.r1 * settings.r1_every * r1(discriminator, hr)

    def losses(batch: Batch, shared: Shared) -> Losses:
        # two passes, since HR and SR need separate batch-norm statistics in SRGAN's discriminator
        hr, sr = _terms.random_crop(settings.shift, batch.hr, shared["sr"])
        real, fake = discriminator(hr), discriminator(sr)
        shared["d_real"], shared["d_fake"] = real.detach().mean(), fake.detach().mean()
        terms = {"adversarial": discriminator_loss(settings.kind, fake=fake, real=real)}
        if settings.r1:
            terms["r1"] = gradient_penalty(hr, shared)
        return terms

    return Turn("discriminator", (discriminator,), losses)


def gan_turns(
    generator: nn.Module,
    discriminator: nn.Module,
    settings: Settings,
    perceptual: Perceptual | None,
    average: nn.Module | None = None,
) -> tuple[Turn, ...]:
    """The generator's turn, then the discriminator's; they share "sr", "d_real" and "d_fake".

    `average`, the averaged generator, is for the artifact term alone.
    """
    return (
        _generator_turn(generator, discriminator, settings, perceptual, average),
        _discriminator_turn(discriminator, settings),
    )


def turns(
    networks: Mapping[str, nn.Module], settings: Settings, device: torch.device | None
) -> tuple[Turn, ...]:
    """The turns for networks by role; puts the perceptual loss on the device."""
    perceptual = None
    if settings.weights.perceptual and settings.perceptual is not None:
        perceptual = Perceptual(settings.perceptual).placed(device)
    return gan_turns(
        networks["generator"],
        networks["discriminator"],
        settings,
        perceptual,
        networks.get(AVERAGE),
    )
