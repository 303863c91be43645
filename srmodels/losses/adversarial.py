"""Adversarial losses on logits; means over the batch and, where the logits are a map, positions.

vanilla: Goodfellow et al. 2014, https://arxiv.org/abs/1406.2661; the generator's is the
non-saturating one (section 3), as in SRGAN (arXiv:1609.04802, eq. 6); the discriminator's two terms
are summed. least_squares: Mao et al. 2017, https://arxiv.org/abs/1611.04076, eq. 9 with labels 0
and 1, weighted as in CycleGAN (arXiv:1703.10593, section 4): the discriminator's sum is halved, the
generator's loss is not. relativistic_average: Jolicoeur-Martineau 2019,
https://arxiv.org/abs/1807.00734, as in ESRGAN (arXiv:1809.00219, eqs. 1 and 2); neither sum is
halved, as in both papers; ESRGAN's public code halves both. The objective detaches the
discriminator's `fake`.
"""

from typing import Literal

import torch.nn.functional as F
from torch import Tensor

from srmodels.distributed.collectives import all_reduce_mean

AdversarialKind = Literal["vanilla", "least_squares", "relativistic_average"]


def _bce_real(logits: Tensor) -> Tensor:
    """The mean of -log sigmoid(logits)."""
    return F.softplus(-logits).mean()


def _bce_fake(logits: Tensor) -> Tensor:
    """The mean of -log(1 - sigmoid(logits))."""
    return F.softplus(logits).mean()


def _batch_mean(logits: Tensor) -> Tensor:
    return all_reduce_mean(logits.mean())


def needs_real(kind: AdversarialKind) -> bool:
    """Whether the generator's loss needs the logits of real images, too."""
    return kind == "relativistic_average"


def generator_loss(kind: AdversarialKind, *, fake: Tensor, real: Tensor | None = None) -> Tensor:
    """The generator's loss, a scalar, of the logits of SR and, where `needs_real`, of HR."""
    if kind == "vanilla":
        return _bce_real(fake)
    if kind == "least_squares":
        return (fake - 1).square().mean()
    assert real is not None, f"{kind} compares fake with real: pass both"
    # ESRGAN eq. 2; the gradient reaches the generator in both terms
    return _bce_fake(real - _batch_mean(fake)) + _bce_real(fake - _batch_mean(real))


def discriminator_loss(kind: AdversarialKind, *, fake: Tensor, real: Tensor) -> Tensor:
    """The discriminator's loss, a scalar, of the logits of a detached SR and of HR."""
    if kind == "vanilla":
        return _bce_real(real) + _bce_fake(fake)
    if kind == "least_squares":
        return ((real - 1).square().mean() + fake.square().mean()) / 2
    # ESRGAN eq. 1
    return _bce_real(real - _batch_mean(fake)) + _bce_fake(fake - _batch_mean(real))
