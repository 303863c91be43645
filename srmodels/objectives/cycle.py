"""Two generators against two discriminators, on LR and HR of different photographs.

Jun-Yan Zhu, Taesung Park, Phillip Isola, Alexei Efros. Unpaired Image-to-Image Translation using
Cycle-Consistent Adversarial Networks. ICCV 2017. https://arxiv.org/abs/1703.10593, eqs. 1-3 with
the least-squares losses and the image history of section 4; the defaults are its.

G, the generator, goes from LR to HR; F, the degrader, from HR to LR. A batch's LR and HR have
nothing to do with each other: whoever makes the batches draws them from disjoint photographs.

Where this differs from the paper:

- Identity (section 5.2) asks a generator to leave alone what already is in the domain it leads to.
  LR and HR differ in size, so LR is enlarged by the bicubic kernel first: F of that is to give LR
  back, and G of LR to stay near it. (G of reduced HR near HR would be supervision by pairs.)
  Weights are absolute: the public code's lambda_identity 0.5, times its lambda 10, is 5 here.
- Colour, an option: G's output, reduced by the bicubic kernel, is to be LR again. It holds colours
  and shapes where the cycle alone lets both generators agree on others.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field

import torch
from torch import Tensor, nn

from srmodels.data.batches.batch import Batch
from srmodels.losses.adversarial import AdversarialKind, discriminator_loss, generator_loss
from srmodels.losses.pixel import l1
from srmodels.objectives._image_pool import replayed
from srmodels.objectives._window import shifted
from srmodels.objectives.turn import Losses, Memo, Turn
from srmodels.resize.tensors import enlarge, reduce

__all__ = ["PAIRED", "ROLES", "CycleSettings", "CycleWeights", "Settings", "cycle_turns", "turns"]

ROLES = ("generator", "degrader", "discriminator_hr", "discriminator_lr")
PAIRED = False
_KIND: AdversarialKind = "least_squares"


@dataclass(frozen=True, kw_only=True)
class CycleWeights:
    """What each term of the generators is multiplied by; a term of weight 0 is not computed.

    Attributes:
        adversarial: Of each of the two adversarial terms.
        cycle: Of each of the two L1 distances after a whole cycle (the paper's lambda).
        identity: Of the L1 distances to the bicubic enlargement.
        colour: Of the L1 distance of reduced SR to LR.
    """

    adversarial: float = 1.0
    cycle: float = 10.0
    identity: float = 0.0
    colour: float = 0.0

    def __post_init__(self) -> None:
        weights = (self.adversarial, self.cycle, self.identity, self.colour)
        if min(weights) < 0 or max(weights) == 0:
            raise ValueError("weights must be 0 or more, and one of them above 0")


@dataclass(frozen=True, kw_only=True)
class CycleSettings:
    """CycleGAN's by default.

    Attributes:
        weights: Of the generators' terms.
        pool_size: Generated images of each domain that are remembered for its discriminator; 0
            shows it fresh ones only.
        shift: The HR discriminator sees SR and HR less so many pixels on each axis, at a random
            place, as in `GanSettings`; 0 shows it all.
    """

    weights: CycleWeights = field(default_factory=CycleWeights)
    pool_size: int = 50
    shift: int = 0

    def __post_init__(self) -> None:
        if self.shift < 0:
            raise ValueError("shift must be 0 or more HR pixels")
        if self.pool_size < 0:
            raise ValueError("pool_size must be 0 or more")


Settings = CycleSettings


def _generators_turn(networks: Mapping[str, nn.Module], settings: CycleSettings) -> Turn:
    weights = settings.weights
    generator, degrader, discriminator_hr, discriminator_lr = (networks[role] for role in ROLES)

    def losses(batch: Batch, memo: Memo) -> Losses:
        sr, degraded = generator(batch.lr), degrader(batch.hr)
        memo["sr"], memo["degraded"] = sr.detach(), degraded.detach()
        scale = sr.shape[-1] // batch.lr.shape[-1]
        terms: dict[str, Tensor] = {}
        if weights.adversarial:
            for name, fake in (
                ("adversarial_hr", discriminator_hr(*shifted(settings.shift, sr))),
                ("adversarial_lr", discriminator_lr(degraded)),
            ):
                terms[name] = weights.adversarial * generator_loss(_KIND, fake=fake)
        if weights.cycle:
            terms["cycle_lr"] = weights.cycle * l1(degrader(sr), batch.lr)
            terms["cycle_hr"] = weights.cycle * l1(generator(degraded), batch.hr)
        if weights.identity:
            enlarged = enlarge(batch.lr, scale)
            distances = l1(sr, enlarged) + l1(degrader(enlarged), batch.lr)
            terms["identity"] = weights.identity * distances
        if weights.colour:
            terms["colour"] = weights.colour * l1(reduce(sr, scale), batch.lr)
        return terms

    return Turn("generators", (generator, degrader), losses)


def _discriminators_turn(networks: Mapping[str, nn.Module], settings: CycleSettings) -> Turn:
    judges = {"hr": networks["discriminator_hr"], "lr": networks["discriminator_lr"]}

    def losses(batch: Batch, memo: Memo) -> Losses:
        terms: dict[str, Tensor] = {}
        images = {"hr": (batch.hr, memo["sr"]), "lr": (batch.lr, memo["degraded"])}
        for domain, (real_images, fresh) in images.items():
            old = replayed(fresh, memo, domain, size=settings.pool_size)
            shift = settings.shift if domain == "hr" else 0
            seen, faked = shifted(shift, real_images, old)
            real, fake = judges[domain](seen), judges[domain](faked)
            memo[f"d_{domain}_real"] = real.detach().mean()
            memo[f"d_{domain}_fake"] = fake.detach().mean()
            terms[f"adversarial_{domain}"] = discriminator_loss(_KIND, fake=fake, real=real)
        return terms

    return Turn("discriminators", tuple(judges.values()), losses)


def cycle_turns(networks: Mapping[str, nn.Module], settings: CycleSettings) -> tuple[Turn, ...]:
    """The generators descend "adversarial_hr" to "colour", the discriminators "adversarial_*".

    The memo holds "sr" and "degraded", detached; after the discriminators' turn their mean logits,
    "d_hr_real" to "d_lr_fake", and the histories "kept/hr" and "kept/lr".

    Args:
        networks: By the roles of `ROLES`.
        settings: Weights, size of the histories, shift.
    """
    return (
        _generators_turn(networks, settings),
        _discriminators_turn(networks, settings),
    )


def turns(
    networks: Mapping[str, nn.Module],
    settings: CycleSettings,
    device: torch.device | None,  # noqa: ARG001 - nothing of its own to place
) -> tuple[Turn, ...]:
    """The turns, for networks by role."""
    return cycle_turns(networks, settings)
