"""CycleGAN: two generators against two discriminators, on LR and HR of different photographs.

Zhu, Park, Isola, Efros, ICCV 2017, https://arxiv.org/abs/1703.10593, eqs. 1-3 with least-squares
losses and the image pool of section 4. G, the generator, maps LR to HR; F, the degrader, maps HR to
LR. The defaults are the paper's. Differences:

- Identity (section 5.2): LR and HR differ in size, so LR is enlarged with the bicubic kernel first:
  F(enlarged) must equal LR, and G(LR) stay near the enlargement. (G of reduced HR near HR would be
  paired supervision.) Weights are absolute: the public code's lambda_identity 0.5, times its lambda
  10, is 5 here.
- Colour, an option: G's output, reduced with the bicubic kernel, must equal LR. Without this term
  both generators may agree on other colours.
- Perceptual, an option: G(F(HR)) must equal HR in the features of a VGG network, too.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field

import torch
from torch import Tensor, nn

from srmodels.config import check_least
from srmodels.data.batches.batch import Batch
from srmodels.distributed import collectives
from srmodels.losses.adversarial import AdversarialKind, discriminator_loss, generator_loss
from srmodels.losses.perceptual import Perceptual, PerceptualSettings
from srmodels.losses.pixel import l1
from srmodels.objectives import _terms
from srmodels.objectives.turn import PERSISTENT, Losses, Shared, Turn
from srmodels.resize.tensors import enlarge, reduce

ROLES = ("generator", "degrader", "discriminator_hr", "discriminator_lr")
PAIRED = False
_KIND: AdversarialKind = "least_squares"


@dataclass(frozen=True, kw_only=True)
class CycleWeights:
    """The weights of the generators' terms; a term of weight 0 is not computed."""

    adversarial: float = 1.0  # of each of the two adversarial terms
    cycle: float = 10.0  # of each of the two L1 distances after a whole cycle (the paper's lambda)
    identity: float = 0.0  # of the L1 distances to the bicubic enlargement
    colour: float = 0.0  # of the L1 distance between reduced SR and LR
    perceptual: float = 0.0  # of the perceptual loss of HR after a whole cycle

    def __post_init__(self) -> None:
        _terms.check_weights(
            self.adversarial, self.cycle, self.identity, self.colour, self.perceptual
        )


@dataclass(frozen=True, kw_only=True)
class Settings:
    """Losses and image pools; CycleGAN's by default."""

    # the weights of the generators' terms
    weights: CycleWeights = field(default_factory=CycleWeights)
    pool_size: int = 50  # images in the pool of each discriminator; 0 means no pool
    # the HR discriminator gets random crops of SR and HR, this many pixels smaller on each axis, as
    # in `gan.Settings`; 0 means no cropping
    shift: int = 0
    perceptual: PerceptualSettings | None = None  # the perceptual loss; None where its weight is 0

    def __post_init__(self) -> None:
        check_least(self, 0, "shift", "pool_size")
        _terms.check_perceptual(self.weights.perceptual, self.perceptual)


def query_pool(images: Tensor, shared: Shared, name: str, *, size: int) -> Tensor:
    """Exchanges about half of the images for older ones once the pool is full.

    As Shrivastava et al., CVPR 2017, https://arxiv.org/abs/1612.07828, section 2.3: stores and
    returns every image until there are `size`, then exchanges, with probability 1/2, an image for a
    random stored one. All processes hold the same pool, `shared`'s "persistent/<name>", which takes
    the images of the whole batch. Random numbers come from PyTorch's CPU generator.
    """
    if size == 0:
        return images
    key = f"{PERSISTENT}{name}"
    first = int(shared.get("step", torch.tensor(0))) == 0
    assert first or key in shared, f"the engine keeps persistent tensors; {key} is missing"
    pool = shared[key].to(images) if key in shared else images[:0]
    batch = collectives.all_gather(images)
    exchanged = []
    for index in range(len(batch)):
        image = batch[index : index + 1]
        if len(pool) < size:
            pool = torch.cat([pool, image])
        elif torch.rand(()) < 0.5:
            place = int(torch.randint(size, ()))
            stored = pool[place : place + 1].clone()
            pool[place : place + 1] = image
            image = stored
        exchanged.append(image)
    shared[key] = pool
    return torch.cat(exchanged[collectives.local_slice(len(batch))])


def _generators_turn(
    networks: Mapping[str, nn.Module], settings: Settings, perceptual: Perceptual | None
) -> Turn:
    weights = settings.weights
    generator, degrader, discriminator_hr, discriminator_lr = (networks[role] for role in ROLES)

    def losses(batch: Batch, shared: Shared) -> Losses:
        sr, degraded = generator(batch.lr), degrader(batch.hr)
        shared["sr"], shared["degraded"] = sr.detach(), degraded.detach()
        scale = sr.shape[-1] // batch.lr.shape[-1]
        terms: dict[str, Tensor] = {}
        if weights.adversarial:
            for name, fake in (
                ("adversarial_hr", discriminator_hr(*_terms.random_crop(settings.shift, sr))),
                ("adversarial_lr", discriminator_lr(degraded)),
            ):
                terms[name] = weights.adversarial * generator_loss(_KIND, fake=fake)
        if weights.cycle:
            terms["cycle_lr"] = weights.cycle * l1(degrader(sr), batch.lr)
        if weights.cycle or perceptual:
            cycled = generator(degraded)
            if weights.cycle:
                terms["cycle_hr"] = weights.cycle * l1(cycled, batch.hr)
            if perceptual:
                terms["perceptual"] = weights.perceptual * perceptual(cycled, batch.hr)
        if weights.identity:
            enlarged = enlarge(batch.lr, scale)
            distances = l1(sr, enlarged) + l1(degrader(enlarged), batch.lr)
            terms["identity"] = weights.identity * distances
        if weights.colour:
            terms["colour"] = weights.colour * l1(reduce(sr, scale), batch.lr)
        return terms

    return Turn("generators", (generator, degrader), losses)


def _discriminators_turn(networks: Mapping[str, nn.Module], settings: Settings) -> Turn:
    discriminators = {"hr": networks["discriminator_hr"], "lr": networks["discriminator_lr"]}

    def losses(batch: Batch, shared: Shared) -> Losses:
        terms: dict[str, Tensor] = {}
        images = {"hr": (batch.hr, shared["sr"]), "lr": (batch.lr, shared["degraded"])}
        for domain, (real_images, generated) in images.items():
            pooled = query_pool(generated, shared, domain, size=settings.pool_size)
            shift = settings.shift if domain == "hr" else 0
            real_crops, fake_crops = _terms.random_crop(shift, real_images, pooled)
            discriminator = discriminators[domain]
            real, fake = discriminator(real_crops), discriminator(fake_crops)
            shared[f"d_{domain}_real"] = real.detach().mean()
            shared[f"d_{domain}_fake"] = fake.detach().mean()
            terms[f"adversarial_{domain}"] = discriminator_loss(_KIND, fake=fake, real=real)
        return terms

    return Turn("discriminators", tuple(discriminators.values()), losses)


def turns(
    networks: Mapping[str, nn.Module], settings: Settings, device: torch.device | None = None
) -> tuple[Turn, ...]:
    """The generators' turn, then the discriminators'; they share "sr", "degraded", logits."""
    perceptual = None
    if settings.weights.perceptual and settings.perceptual is not None:
        perceptual = Perceptual(settings.perceptual).placed(device)
    return (
        _generators_turn(networks, settings, perceptual),
        _discriminators_turn(networks, settings),
    )
