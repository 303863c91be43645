"""Gaussian and Poisson noise of Real-ESRGAN (arXiv:2107.10833, section 3.1), drawn per image."""

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from srmodels.data.degradation.settings import DegradationStage

_LUMA = (0.299, 0.587, 0.114)  # ITU-R BT.601


def _per_image(values: NDArray[np.generic], like: Tensor) -> Tensor:
    """(N,) as (N, 1, 1, 1) on the device of the images."""
    return torch.from_numpy(values).to(like.device, non_blocking=True).view(-1, 1, 1, 1)


def levels_in(images: Tensor) -> Tensor:
    """The number of 8-bit levels in each image, rounded up to a power of two: (N, 1, 1, 1)."""
    levels = (images * 255).round().long().flatten(1)
    seen = torch.zeros(len(images), 256, device=images.device).scatter_(1, levels, 1.0).sum(1)
    return seen.log2().ceil().exp2().view(-1, 1, 1, 1)


def shot_noise(images: Tensor, generator: torch.Generator) -> Tensor:
    """Poisson noise of mean 0; as in the public code, white is `levels_in` photons."""
    light = (images * 255).round() / 255
    photons = levels_in(light)
    return torch.poisson(light * photons, generator=generator) / photons - light


def add_noise(
    images: Tensor,
    settings: DegradationStage,
    *,
    rng: np.random.Generator,
    generator: torch.Generator,
) -> Tensor:
    """Adds Gaussian or Poisson noise of random strength to images (N, 3, H, W); clamps them."""
    count = len(images)
    gaussian = rng.random(count) < settings.gaussian
    sigmas = rng.uniform(*settings.sigma_noise, count) / 255 * gaussian
    strengths = rng.uniform(*settings.poisson, count) * ~gaussian
    grey = _per_image(rng.random(count) < settings.grey, images)
    noise = torch.zeros_like(images)
    if gaussian.any():
        values = torch.empty_like(images).normal_(generator=generator)
        noise += _per_image(sigmas.astype(np.float32), images) * values
    if not gaussian.all():
        weights = torch.tensor(_LUMA, device=images.device).view(1, 3, 1, 1)
        luma = (weights * images).sum(1, keepdim=True)
        values = shot_noise(torch.where(grey, luma, images), generator)
        noise += _per_image(strengths.astype(np.float32), images) * values
    return (images + torch.where(grey, noise[:, :1], noise)).clamp(0, 1)
