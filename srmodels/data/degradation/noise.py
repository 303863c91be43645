"""Gaussian and Poisson noise of Real-ESRGAN (arXiv:2107.10833, section 3.1), drawn per image."""

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from srmodels.data.degradation.settings import DegradationStage

__all__ = ["add_noise", "levels_in", "shot_noise"]

_LUMA = (0.299, 0.587, 0.114)  # ITU-R BT.601


def _per_image(values: NDArray[np.generic], like: Tensor) -> Tensor:
    """(N,) numbers as (N, 1, 1, 1) on the device."""
    numbers = torch.from_numpy(values).to(like.device, non_blocking=True)
    return numbers.view(-1, 1, 1, 1)


def levels_in(images: Tensor) -> Tensor:
    """How many of the 256 levels each image has, up to the next power of two.

    Args:
        images: (N, C, H, W) in [0, 1], multiples of 1/255.

    Returns:
        (N, 1, 1, 1), 1 to 256; counted on the device.
    """
    levels = (images * 255).round().long().flatten(1)
    seen = torch.zeros(len(images), 256, device=images.device).scatter_(1, levels, 1.0).sum(1)
    return seen.log2().ceil().exp2().view(-1, 1, 1, 1)


def shot_noise(images: Tensor, generator: torch.Generator) -> Tensor:
    """What the counting of photons adds to each pixel: (N, C, H, W), of mean 0.

    The public code's: white is as many photons as the image has levels (`levels_in`).
    """
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
    """Adds noise of each image's own kind and strength.

    Args:
        images: (N, 3, H, W) in [0, 1].
        settings: What to draw from.
        rng: Decides kinds and strengths, on the host.
        generator: Makes the noise, on the images' device.

    Returns:
        (N, 3, H, W), clamped to [0, 1].
    """
    count = len(images)
    gaussian = rng.random(count) < settings.gaussian
    sigmas = rng.uniform(*settings.sigma_noise, count) / 255 * gaussian
    strengths = rng.uniform(*settings.poisson, count) * ~gaussian
    grey = _per_image(rng.random(count) < settings.grey, images)
    noise = torch.zeros_like(images)
    if gaussian.any():
        drawn = torch.empty_like(images).normal_(generator=generator)
        noise += _per_image(sigmas.astype(np.float32), images) * drawn
    if not gaussian.all():
        weights = torch.tensor(_LUMA, device=images.device).view(1, 3, 1, 1)
        luma = (weights * images).sum(1, keepdim=True)
        drawn = shot_noise(torch.where(grey, luma, images), generator)
        noise += _per_image(strengths.astype(np.float32), images) * drawn
    return (images + torch.where(grey, noise[:, :1], noise)).clamp(0, 1)
