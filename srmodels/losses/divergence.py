"""The divergence of a VAE's posterior from its prior.

Diederik Kingma, Max Welling. Auto-Encoding Variational Bayes. ICLR 2014.
https://arxiv.org/abs/1312.6114, eq. 3 and appendix B.
Free bits: Diederik Kingma, Tim Salimans, Rafal Jozefowicz, Xi Chen, Ilya Sutskever, Max Welling.
Improving Variational Inference with Inverse Autoregressive Flow. NIPS 2016.
https://arxiv.org/abs/1606.04934, appendix C.8, eq. 15.

Everything is in nats. A divergence is summed over all the numbers of an image's latent and averaged
over the batch, as the likelihood is summed over an image's pixels; averaging it over the latent
instead, as one is tempted to, would weigh it by another factor for every network.
"""

from torch import Tensor

from srmodels.distributed.collectives import all_reduce_mean
from srmodels.models._latent import Gaussian

__all__ = ["gaussian_kl", "kl_per_image"]


def gaussian_kl(posterior: Gaussian, prior: Gaussian) -> Tensor:
    """KL(posterior || prior) of each number of the latent, in nats: (N, C, h, w), 0 or more."""
    squares = (posterior.mean - prior.mean).square() + posterior.log_variance.exp()
    ratio = squares * (-prior.log_variance).exp()
    return (ratio - 1 + prior.log_variance - posterior.log_variance) / 2


def kl_per_image(divergences: Tensor, *, free_bits: float = 0.0) -> Tensor:
    """The divergence of an image: the sum over its latent, the mean over the batch.

    Args:
        divergences: (N, C, h, w), in nats.
        free_bits: Nats a number of the latent may diverge for nothing. What counts is the mean of a
            channel over batch, that of all processes, and positions (the paper's groups); below
            this it gives no gradient.

    Returns:
        A scalar, in nats; at least free_bits times the numbers of an image's latent.
    """
    positions = divergences.shape[-2] * divergences.shape[-1]
    return positions * all_reduce_mean(divergences.mean((0, 2, 3))).clamp_min(free_bits).sum()
