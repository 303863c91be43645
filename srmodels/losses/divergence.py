"""The divergence of a VAE's posterior from its prior, in nats.

Kingma, Welling, ICLR 2014, https://arxiv.org/abs/1312.6114, eq. 3 and appendix B. Free bits: Kingma
et al., NIPS 2016, https://arxiv.org/abs/1606.04934, appendix C.8, eq. 15.
"""

from torch import Tensor

from srmodels.distributed.collectives import all_reduce_mean
from srmodels.models._latent import Gaussian


def gaussian_kl(posterior: Gaussian, prior: Gaussian) -> Tensor:
    """KL(posterior || prior) of each latent value: (N, C, h, w), 0 or more."""
    squares = (posterior.mean - prior.mean).square() + posterior.log_variance.exp()
    ratio = squares * (-prior.log_variance).exp()
    return (ratio - 1 + prior.log_variance - posterior.log_variance) / 2


def kl_per_image(divergences: Tensor, *, free_bits: float = 0.0) -> Tensor:
    """The sum over a latent (N, C, h, w), averaged over all ranks; below `free_bits` constant."""
    positions = divergences.shape[-2] * divergences.shape[-1]
    return positions * all_reduce_mean(divergences.mean((0, 2, 3))).clamp_min(free_bits).sum()
