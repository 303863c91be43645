"""LR of HR as cameras and the net make it: Real-ESRGAN's second-order degradation, on the device.

Xintao Wang, Liangbin Xie, Chao Dong, Ying Shan. Real-ESRGAN: Training Real-World Blind
Super-Resolution with Pure Synthetic Data. ICCV workshops 2021. https://arxiv.org/abs/2107.10833,
section 3 and figure 2. Blur, resize, noise, JPEG; the same again; a sinc filter and JPEG in either
order. Where this differs from the public code, and why:

- What it draws depends on (seed, step) alone, so nothing has to be saved. Its pool of 180 pairs,
  which mixes batches because a batch shares its resizes, would have to be: here a batch is parted
  (`images_per_resize`). Kernels, noise and quality are each image's own.
- Resizes keep the picture's edges where they are, so that LR stays aligned with HR; as there, they
  do not guard against aliasing.
- JPEG is libjpeg's: whole qualities, rounded tables, 8 bits in and out.
- HR is not sharpened.
"""

from functools import partial

import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor

from srmodels.data.degradation.blur import blur, draw_kernels, draw_sincs
from srmodels.data.degradation.jpeg import jpeg
from srmodels.data.degradation.noise import add_noise
from srmodels.data.degradation.settings import DegradationSettings, DegradationStage, SecondOrder

__all__ = ["DegradationSettings", "DegradationStage", "SecondOrder", "degrade"]

_TAG = 2107_10833  # other draws of the same (seed, step), such as a batch's, are others
_MODES = ("area", "bilinear", "bicubic")


def _resized(images: Tensor, size: tuple[int, int], rng: np.random.Generator) -> Tensor:
    mode = _MODES[rng.integers(len(_MODES))]
    return F.interpolate(images, size=size, mode=mode)


def _factor(rng: np.random.Generator, settings: DegradationStage) -> float:
    """How many times larger a resize makes the picture."""
    way, (low, high) = rng.random(), settings.resize
    if way < settings.enlarged:
        return rng.uniform(1, high)
    return rng.uniform(low, 1) if way < settings.enlarged + settings.shrunk else 1.0


def _compressed(images: Tensor, settings: DegradationStage, rng: np.random.Generator) -> Tensor:
    low, high = settings.jpeg
    quality = torch.from_numpy(rng.integers(low, high + 1, len(images)))
    return jpeg(images, quality.to(images.device, non_blocking=True))


def _degrade_once(
    images: Tensor,
    size: tuple[int, int],
    settings: DegradationStage,
    *,
    rng: np.random.Generator,
    generator: torch.Generator,
) -> Tensor:
    """Blur, resize to about `size`, noise: one order without its JPEG."""
    images = blur(images, draw_kernels(rng, len(images), settings))
    factor = _factor(rng, settings)
    height, width = (max(1, round(side * factor)) for side in size)
    images = _resized(images, (height, width), rng).clamp(0, 1)
    return add_noise(images, settings, rng=rng, generator=generator)


def _degraded(
    hr: Tensor,
    settings: DegradationSettings,
    scale: int,
    *,
    rng: np.random.Generator,
    generator: torch.Generator,
) -> Tensor:
    """Images that share their resizes."""
    height, width = hr.shape[-2:]
    size = (height // scale, width // scale)
    worsened = partial(_degrade_once, rng=rng, generator=generator)
    images = _compressed(worsened(hr, (height, width), settings.first), settings.first, rng)
    images = worsened(images, size, settings.second)
    compressed_first = rng.random() < 0.5
    if compressed_first:
        images = _compressed(images, settings.second, rng)
    kernels = draw_sincs(rng, len(images), settings.final_sinc)
    # sized before it is filtered: the other way round makes twisted lines (the public code's note)
    images = blur(_resized(images, size, rng), kernels)
    return images if compressed_first else _compressed(images, settings.second, rng)


@torch.no_grad()
def degrade(
    hr: Tensor, settings: DegradationSettings, scale: int, *, seed: int, step: int
) -> Tensor:
    """The LR images of a step, which always come out the same on a device.

    Args:
        hr: (N, 3, scale H, scale W), float32 RGB in [0, 1].
        settings: What to draw from.
        scale: HR over LR.
        seed: Decides everything, together with the step; 0 or more.
        step: From 0 on.

    Returns:
        (N, 3, H, W) in [0, 1], multiples of 1/255, on HR's device; channels last in memory.
    """
    height, width = hr.shape[-2:]
    assert height % scale == 0 and width % scale == 0, "HR's sides are multiples of scale"  # noqa: PT018
    rng = np.random.default_rng([seed, step, _TAG])
    generator = torch.Generator(hr.device).manual_seed(int(rng.integers(2**63)))
    parts = [
        _degraded(part, settings, scale, rng=rng, generator=generator)
        for part in torch.split(hr.contiguous(), settings.images_per_resize)
    ]
    lr = torch.cat(parts).clamp(0, 1).mul(255).add(0.5).floor() / 255
    return lr.contiguous(memory_format=torch.channels_last)
