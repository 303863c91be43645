"""A conditional VAE: reconstruct HR from a latent that LR alone should foretell.

Diederik Kingma, Max Welling. Auto-Encoding Variational Bayes. ICLR 2014.
https://arxiv.org/abs/1312.6114, eq. 3; conditional and with a learned prior: Kihyuk Sohn, Xinchen
Yan, Honglak Lee. Learning Structured Output Representation using Deep Conditional Generative
Models. NIPS 2015, eq. 4.
Warm-up: Casper Kaae Sonderby, Tapani Raiko, Lars Maaloe, Soren Kaae Sonderby, Ole Winther. Ladder
Variational Autoencoders. NIPS 2016. https://arxiv.org/abs/1602.02282, section 2.3.

Units: the pixel loss is a mean over an image's 3 * H * W values, so the divergence, a sum over its
latent, is divided by as many. With `pixel_loss: l1` a KL weight of w then is the ELBO of a Laplace
likelihood of scale w, times w. Weight 1 says that an error of the whole range is nothing unusual:
hardly any detail of HR is worth its nats, and the posterior collapses. The scale that fits best is
the mean error itself, about 0.03 of the range at x4, which therefore is the default.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field

import torch
from torch import Tensor, nn

from srmodels.data.batches.batch import Batch
from srmodels.errors import ConfigError
from srmodels.losses.divergence import gaussian_kl, kl_per_image
from srmodels.losses.perceptual import Perceptual, PerceptualSettings
from srmodels.losses.pixel import PixelKind, pixel_loss
from srmodels.objectives.turn import Losses, Memo, Turn

__all__ = ["ROLES", "ElboSettings", "ElboWeights", "Settings", "elbo_turns", "turns"]

ROLES = ("generator",)
LATENT = True


@dataclass(frozen=True, kw_only=True)
class ElboWeights:
    """What each term is multiplied by; a term of weight 0 is not computed.

    Attributes:
        reconstruction: Of the pixel loss, a mean over values in [0, 1].
        perceptual: Of the perceptual loss.
        kl: Of the divergence in nats an image, divided by the image's 3 * H * W values.
    """

    reconstruction: float = 1.0
    perceptual: float = 0.0
    kl: float = 0.03

    def __post_init__(self) -> None:
        weights = (self.reconstruction, self.perceptual, self.kl)
        if min(weights) < 0 or max(weights) == 0:
            raise ValueError("weights must be 0 or more, and one of them above 0")


@dataclass(frozen=True, kw_only=True)
class ElboSettings:
    """The plain evidence lower bound by default.

    Attributes:
        pixel_loss: Which pixel loss the reconstruction is measured by; Charbonnier's epsilon is the
            published one.
        weights: Of the terms.
        warmup_steps: Steps over which the weight of the divergence rises linearly; 0 means none.
        free_bits: Nats that each number of the latent may diverge for nothing.
        perceptual: The perceptual loss; None where its weight is 0.
    """

    pixel_loss: PixelKind = "l1"
    weights: ElboWeights = field(default_factory=ElboWeights)
    warmup_steps: int = 0
    free_bits: float = 0.0
    perceptual: PerceptualSettings | None = None

    def __post_init__(self) -> None:
        if min(self.warmup_steps, self.free_bits) < 0:
            raise ValueError("warmup_steps and free_bits must not be negative")
        if self.weights.perceptual > 0 and self.perceptual is None:
            raise ValueError("perceptual must be given where weights.perceptual is above 0")


Settings = ElboSettings


def _warmth(memo: Memo, warmup_steps: int) -> float:
    """The share of its weight that the divergence has at the memo's step (0 if it has none)."""
    step = int(memo["step"]) if "step" in memo else 0
    return min(1.0, (step + 1) / warmup_steps) if warmup_steps else 1.0


def elbo_turns(
    generator: nn.Module, settings: ElboSettings, perceptual: Perceptual | None
) -> tuple[Turn, ...]:
    """One turn: the generator descends "reconstruction", "perceptual" and "kl".

    The memo's "step" (from 0) decides how warm the divergence is; the memo then holds "kl_nats",
    the divergence of an image without weight and free bits.
    """
    weights = settings.weights
    pixel = pixel_loss(settings.pixel_loss)

    def losses(batch: Batch, memo: Memo) -> Losses:
        sr, posterior, prior = generator(batch.lr, batch.hr)
        divergences = gaussian_kl(posterior, prior)
        memo["kl_nats"] = kl_per_image(divergences.detach())
        terms: dict[str, Tensor] = {}
        if weights.reconstruction:
            terms["reconstruction"] = weights.reconstruction * pixel(sr, batch.hr)
        if weights.perceptual:
            assert perceptual is not None, "a perceptual weight needs the perceptual loss"
            terms["perceptual"] = weights.perceptual * perceptual(sr, batch.hr)
        if weights.kl:
            weight = weights.kl * _warmth(memo, settings.warmup_steps) / batch.hr[0].numel()
            terms["kl"] = weight * kl_per_image(divergences, free_bits=settings.free_bits)
        return terms

    return (Turn("generator", (generator,), losses),)


def turns(
    networks: Mapping[str, nn.Module], settings: ElboSettings, device: torch.device | None
) -> tuple[Turn, ...]:
    """The turns, for networks by role, with the perceptual loss's own network on the device.

    Raises:
        ConfigError: The generator is no VAE.
    """
    generator = networks["generator"]
    if not hasattr(generator, "sample"):
        found = type(getattr(generator, "module", generator)).__name__
        raise ConfigError(
            f"objective elbo: needs a generator with a posterior and a prior (found {found}); "
            "the networks cvae and srvae have them"
        )
    perceptual = None
    if settings.weights.perceptual and settings.perceptual is not None:
        perceptual = Perceptual(settings.perceptual).placed(device)
    return elbo_turns(generator, settings, perceptual)
