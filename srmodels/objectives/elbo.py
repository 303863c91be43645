"""A conditional VAE, which reconstructs HR from LR and a latent.

Kingma, Welling, ICLR 2014, https://arxiv.org/abs/1312.6114, eq. 3; conditional and with a learned
prior: Sohn, Lee, Yan, NIPS 2015, eq. 4; KL warm-up: Sonderby et al., NIPS 2016,
https://arxiv.org/abs/1602.02282, section 2.3.

The pixel loss is a mean over an image's 3 * H * W values, so the KL divergence, a sum over the
latent, is divided by as many. With `pixel_loss: l1`, a KL weight of w gives w times the ELBO of a
Laplace likelihood of scale w. The scale that fits best is the mean error, about 0.03 of the range
at x4 (the default); with weight 1 the posterior collapses.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field

import torch
from torch import Tensor, nn

from srmodels.config import check_least
from srmodels.data.batches.batch import Batch
from srmodels.errors import ConfigError
from srmodels.losses.divergence import gaussian_kl, kl_per_image
from srmodels.losses.perceptual import Perceptual, PerceptualSettings
from srmodels.losses.pixel import PixelKind, pixel_loss
from srmodels.objectives import _terms
from srmodels.objectives.turn import Losses, Shared, Turn

ROLES = ("generator",)
LATENT = True


@dataclass(frozen=True, kw_only=True)
class ElboWeights:
    """The weights of the terms; a term of weight 0 is not computed."""

    reconstruction: float = 1.0  # of the pixel loss, a mean over values in [0, 1]
    perceptual: float = 0.0  # of the perceptual loss
    # of the KL divergence in nats per image, divided by the image's 3 * H * W values
    kl: float = 0.03

    def __post_init__(self) -> None:
        _terms.check_weights(self.reconstruction, self.perceptual, self.kl)


@dataclass(frozen=True, kw_only=True)
class Settings:
    """The evidence lower bound and its terms."""

    # which pixel loss measures the reconstruction; Charbonnier's epsilon is the published one
    pixel_loss: PixelKind = "l1"
    weights: ElboWeights = field(default_factory=ElboWeights)  # the weights of the terms
    # steps over which the weight of the KL divergence rises linearly; 0 means none
    warmup_steps: int = 0
    free_bits: float = 0.0  # nats per latent value that cost nothing
    perceptual: PerceptualSettings | None = None  # the perceptual loss; None where its weight is 0

    def __post_init__(self) -> None:
        check_least(self, 0, "warmup_steps", "free_bits")
        _terms.check_perceptual(self.weights.perceptual, self.perceptual)


def turns(
    networks: Mapping[str, nn.Module], settings: Settings, device: torch.device | None = None
) -> tuple[Turn, ...]:
    """One turn, with the terms "reconstruction", "perceptual", "kl"; it shares "kl_nats"."""
    generator = networks["generator"]
    if not hasattr(generator, "sample"):
        kind = type(getattr(generator, "module", generator)).__name__
        raise ConfigError(
            f"objective elbo: the generator has no posterior and no prior (got {kind}). Use cvae "
            "or srvae."
        )
    perceptual = None
    if settings.weights.perceptual and settings.perceptual is not None:
        perceptual = Perceptual(settings.perceptual).placed(device)
    weights = settings.weights
    pixel = pixel_loss(settings.pixel_loss)

    def warmup_factor(shared: Shared) -> float:
        step = int(shared["step"]) if "step" in shared else 0
        return min(1.0, (step + 1) / settings.warmup_steps) if settings.warmup_steps else 1.0

    def losses(batch: Batch, shared: Shared) -> Losses:
        sr, posterior, prior = generator(batch.lr, batch.hr)
        divergences = gaussian_kl(posterior, prior)
        shared["kl_nats"] = kl_per_image(divergences.detach())
        terms: dict[str, Tensor] = {}
        if weights.reconstruction:
            terms["reconstruction"] = weights.reconstruction * pixel(sr, batch.hr)
        if weights.perceptual:
            assert perceptual is not None, "a perceptual weight needs the perceptual loss"
            terms["perceptual"] = weights.perceptual * perceptual(sr, batch.hr)
        if weights.kl:
            weight = weights.kl * warmup_factor(shared) / batch.hr[0].numel()
            terms["kl"] = weight * kl_per_image(divergences, free_bits=settings.free_bits)
        return terms

    return (Turn("generator", (generator,), losses),)
