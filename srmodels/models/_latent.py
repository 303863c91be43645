"""Networks with a latent: normal distributions over it, and what draws from which.

Diederik Kingma, Max Welling. Auto-Encoding Variational Bayes. ICLR 2014.
https://arxiv.org/abs/1312.6114
Kihyuk Sohn, Xinchen Yan, Honglak Lee. Learning Structured Output Representation using Deep
Conditional Generative Models. NIPS 2015.

A latent is a map, (N, C, h, w), so that a picture of any size has one. The two classes are tuples,
not dataclasses, because Fabric restores float32 inside tuples but not inside frozen dataclasses.
"""

from abc import ABC, abstractmethod
from typing import NamedTuple, overload

import torch
from torch import Tensor, nn

from srmodels.distributed import collectives

__all__ = ["Gaussian", "LatentNetwork", "Reconstruction", "gaussian"]

_BOUND = 8.0


class Gaussian(NamedTuple):
    """Independent normal distributions, one for each number of a latent.

    Attributes:
        mean: (N, C, h, w).
        log_variance: (N, C, h, w), natural logarithm.
    """

    mean: Tensor
    log_variance: Tensor

    def draw(
        self,
        *,
        generator: torch.Generator | None = None,
        temperature: float = 1.0,
        noise: Tensor | None = None,
    ) -> Tensor:
        """A latent (N, C, h, w) that carries gradient to mean and variance (section 2.4).

        The noise is drawn on the CPU, so that one seed gives one latent on every device and the
        CPU's random state is all there is to save. Processes that train together draw their
        parts of the whole batch's.

        Args:
            generator: Of the CPU; None is PyTorch's own.
            temperature: What the standard deviation is multiplied by; 0 gives the mean.
            noise: (N, C, h, w), standard normal, where it is drawn already.
        """
        if noise is None:
            noise = collectives.randn(self.mean.shape, generator=generator)
        return self.mean + temperature * torch.exp(self.log_variance / 2) * noise.to(self.mean)


class Reconstruction(NamedTuple):
    """What training looks at.

    Attributes:
        sr: (N, 3, scale * H, scale * W), made with a latent drawn from the posterior; not clamped.
        posterior: Of the latent, given LR and HR.
        prior: Of the latent, given LR alone.
    """

    sr: Tensor
    posterior: Gaussian
    prior: Gaussian


def gaussian(moments: Tensor) -> Gaussian:
    """Means and logarithms of variances out of (N, 2C, h, w).

    The logarithms are bent to stay within 8 of 0, softly so that the gradient never quite ends: a
    divergence between two such distributions is finite in float32.
    """
    mean, log_variance = moments.chunk(2, dim=1)
    return Gaussian(mean, _BOUND * torch.tanh(log_variance / _BOUND))


class LatentNetwork(nn.Module, ABC):
    """A conditional VAE's shape: prior p(z | LR), posterior q(z | LR, HR), SR of LR and z.

    Training calls `forward` with HR, too: it is the one method that Fabric runs in the precision
    asked for.

    Attributes:
        scale: How many times larger SR is.
        padding: LR pixels that a tile needs around itself.
        multiple: LR pixels between two places of the latent; a tile begins at one.
    """

    scale: int
    padding: int
    multiple: int

    @abstractmethod
    def prior_of(self, lr: Tensor) -> tuple[Gaussian, list[Tensor]]:
        """The latent's distribution given LR, and features of LR for `generated`."""

    @abstractmethod
    def posterior_of(self, lr: Tensor, hr: Tensor) -> Gaussian:
        """The latent's distribution given LR and HR."""

    @abstractmethod
    def generated(self, lr: Tensor, z: Tensor, features: list[Tensor]) -> Tensor:
        """SR, (N, 3, scale * H, scale * W), not clamped."""

    @overload
    def forward(self, lr: Tensor) -> Tensor: ...

    @overload
    def forward(self, lr: Tensor, hr: Tensor) -> Reconstruction: ...

    def forward(self, lr: Tensor, hr: Tensor | None = None) -> Tensor | Reconstruction:
        """SR with the prior's mean for a latent, or, given HR as well, what training looks at.

        Args:
            lr: (N, 3, H, W) in [0, 1].
            hr: (N, 3, scale * H, scale * W) in [0, 1]; only training has it.

        Returns:
            SR, (N, 3, scale * H, scale * W), not clamped; with HR a Reconstruction.
        """
        prior, features = self.prior_of(lr)
        if hr is None:
            return self.generated(lr, prior.mean, features)
        posterior = self.posterior_of(lr, hr)
        return Reconstruction(self.generated(lr, posterior.draw(), features), posterior, prior)

    def sample(
        self,
        lr: Tensor,
        *,
        generator: torch.Generator | None = None,
        temperature: float = 1.0,
        noise: Tensor | None = None,
    ) -> Tensor:
        """SR with a latent drawn from the prior; another one on every call.

        Args:
            lr: (N, 3, H, W) in [0, 1].
            generator: Of the CPU; None is PyTorch's own.
            temperature: What the prior's standard deviations are multiplied by.
            noise: (N, C, h, w), standard normal, where it is drawn already: a tile's part of its
                picture's.

        Returns:
            (N, 3, scale * H, scale * W), not clamped.
        """
        prior, features = self.prior_of(lr)
        z = prior.draw(generator=generator, temperature=temperature, noise=noise)
        return self.generated(lr, z, features)
