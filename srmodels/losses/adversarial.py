"""Adversarial losses on logits; which GAN it is, is a choice among these functions.

vanilla: Ian Goodfellow et al. Generative Adversarial Nets. NeurIPS 2014.
https://arxiv.org/abs/1406.2661
    The generator's is the non-saturating one (section 3), which is also SRGAN's (arXiv:1609.04802,
    eq. 6): -log D(fake) in place of log(1 - D(fake)). The discriminator's two terms are summed.
least_squares: Xudong Mao et al. Least Squares Generative Adversarial Networks. ICCV 2017.
https://arxiv.org/abs/1611.04076
    Eq. 9 with labels 0 and 1, weighted as CycleGAN does (arXiv:1703.10593, section 4): the
    generator's is not halved (the paper halves it), the discriminator's sum is.
relativistic_average: Alexia Jolicoeur-Martineau. The relativistic discriminator. ICLR 2019.
https://arxiv.org/abs/1807.00734
    As in ESRGAN (arXiv:1809.00219, eqs. 1 and 2). Neither sum is halved, as in both papers;
    ESRGAN's public code halves both, so weigh the term half as much to do as that code does.

Every mean is over the batch and, where the logits are a map, over its positions; of several
processes' losses the mean is descended, so only a mean within a loss asks the others. That the
discriminator's `fake` comes from a detached SR is the objective's affair, not done here.
"""

from typing import Literal

import torch.nn.functional as F
from torch import Tensor

from srmodels.distributed.collectives import all_reduce_mean

__all__ = ["AdversarialKind", "discriminator_loss", "generator_loss", "needs_real"]

AdversarialKind = Literal["vanilla", "least_squares", "relativistic_average"]


def _is_real(logits: Tensor) -> Tensor:
    """The mean of -log sigmoid(logits): 0 where the discriminator is sure of "real"."""
    return F.softplus(-logits).mean()


def _is_fake(logits: Tensor) -> Tensor:
    """The mean of -log(1 - sigmoid(logits)): 0 where the discriminator is sure of "fake"."""
    return F.softplus(logits).mean()


def _typical(logits: Tensor) -> Tensor:
    """The mean over the batches of all processes: the relativistic average is over the whole."""
    return all_reduce_mean(logits.mean())


def needs_real(kind: AdversarialKind) -> bool:
    """Whether the generator's loss, too, looks at the logits of real images."""
    return kind == "relativistic_average"


def generator_loss(kind: AdversarialKind, *, fake: Tensor, real: Tensor | None = None) -> Tensor:
    """What the generator descends.

    Args:
        kind: Which GAN.
        fake: Logits of SR, any shape; they carry the gradient to the generator.
        real: Logits of HR; needed where `needs_real(kind)`, else not looked at.

    Returns:
        A scalar.
    """
    if kind == "vanilla":
        return _is_real(fake)
    if kind == "least_squares":
        return (fake - 1).square().mean()
    assert real is not None, f"{kind} compares fake with real: pass both"
    # ESRGAN eq. 2; the gradient reaches the generator in both terms
    return _is_fake(real - _typical(fake)) + _is_real(fake - _typical(real))


def discriminator_loss(kind: AdversarialKind, *, fake: Tensor, real: Tensor) -> Tensor:
    """What the discriminator descends.

    Args:
        kind: Which GAN.
        fake: Logits of a detached SR, any shape.
        real: Logits of HR.

    Returns:
        A scalar.
    """
    if kind == "vanilla":
        return _is_real(real) + _is_fake(fake)
    if kind == "least_squares":
        return ((real - 1).square().mean() + fake.square().mean()) / 2
    # ESRGAN eq. 1
    return _is_real(real - _typical(fake)) + _is_fake(fake - _typical(real))
