"""Networks with a latent: normal distributions over the latent and a base class.

Kingma, Welling. Auto-Encoding Variational Bayes. ICLR 2014. https://arxiv.org/abs/1312.6114; Sohn,
Lee, Yan, NIPS 2015. A latent is a map, (N, C, h, w), so any picture size works. Distributions are
tuples because Fabric restores float32 inside tuples but not inside frozen dataclasses.
"""

from abc import ABC, abstractmethod
from typing import NamedTuple

import torch
from torch import Tensor, nn

from srmodels.distributed import collectives

_MAX_LOG_VARIANCE = 8.0


class Gaussian(NamedTuple):
    """Independent normal distributions: mean and natural log variance, each (N, C, h, w)."""

    mean: Tensor
    log_variance: Tensor

    def draw(self, noise: Tensor | None = None, *, temperature: float = 1.0) -> Tensor:
        """A latent (N, C, h, w), differentiable by reparametrisation (section 2.4).

        `noise` is standard normal, (N, C, h, w); None draws it from PyTorch's CPU generator, so a
        seed gives one latent on every device; ranks draw slices of the global batch's noise.
        `temperature` multiplies the standard deviation.
        """
        if noise is None:
            noise = collectives.randn(self.mean.shape)
        return self.mean + temperature * torch.exp(self.log_variance / 2) * noise.to(self.mean)


class Reconstruction(NamedTuple):
    """The training output."""

    sr: Tensor  # (N, 3, scale * H, scale * W), from a latent of the posterior, not clamped
    posterior: Gaussian
    prior: Gaussian


def gaussian(moments: Tensor) -> Gaussian:
    """Splits (N, 2C, h, w) into means and log variances, kept within 8 of 0, so KL is finite."""
    mean, log_variance = moments.chunk(2, dim=1)
    return Gaussian(mean, _MAX_LOG_VARIANCE * torch.tanh(log_variance / _MAX_LOG_VARIANCE))


class LatentNetwork(nn.Module, ABC):
    """A conditional VAE: prior p(z | LR), posterior q(z | LR, HR), decoder p(SR | LR, z).

    Training calls `forward` with HR, because Fabric sets the precision in that method only.
    `multiple` is the number of LR pixels per latent position.
    """

    scale: int
    padding: int
    multiple: int

    @abstractmethod
    def prior_of(self, lr: Tensor) -> tuple[Gaussian, list[Tensor]]:
        """The latent's distribution given LR, and features of LR for `decode`."""

    @abstractmethod
    def posterior_of(self, lr: Tensor, hr: Tensor) -> Gaussian:
        """The latent's distribution given LR and HR."""

    @abstractmethod
    def decode(self, lr: Tensor, z: Tensor, features: list[Tensor]) -> Tensor:
        """LR, a latent and features of LR to SR (N, 3, scale * H, scale * W), not clamped."""

    def forward(self, lr: Tensor, hr: Tensor | None = None) -> Tensor | Reconstruction:
        """SR from the prior's mean; given HR (N, 3, scale * H, scale * W), a Reconstruction."""
        prior, features = self.prior_of(lr)
        if hr is None:
            return self.decode(lr, prior.mean, features)
        posterior = self.posterior_of(lr, hr)
        return Reconstruction(self.decode(lr, posterior.draw(), features), posterior, prior)

    def sample(
        self, lr: Tensor, *, noise: Tensor | None = None, temperature: float = 1.0
    ) -> Tensor:
        """SR from a latent drawn from the prior; arguments as in `Gaussian.draw`."""
        prior, features = self.prior_of(lr)
        return self.decode(lr, prior.draw(noise, temperature=temperature), features)
