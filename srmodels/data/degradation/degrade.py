"""Real-ESRGAN's second-order degradation of HR to LR, on the device.

Wang, Xie, Dong, Shan, ICCV workshops 2021, https://arxiv.org/abs/2107.10833, section 3 and figure
2. Blur, resize, noise, JPEG; the same again; a sinc filter and JPEG in either order. Differences
from the public code:

- All random numbers depend on (seed, step), so no state is saved. `images_per_resize` replaces the
  pool of 180 pairs, which mixes batches because a batch shares its resizes.
- Resizing keeps the edges aligned, so LR stays aligned with HR; neither code filters aliasing.
- JPEG is libjpeg's: integer qualities, rounded tables, 8 bits in and out.
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
from srmodels.data.degradation.settings import DegradationSettings, DegradationStage

_TAG = 2107_10833  # makes the random numbers differ from those of the batch
_MODES = ("area", "bilinear", "bicubic")


def _resize(images: Tensor, size: tuple[int, int], rng: np.random.Generator) -> Tensor:
    mode = _MODES[rng.integers(len(_MODES))]
    return F.interpolate(images, size=size, mode=mode)


def _factor(rng: np.random.Generator, settings: DegradationStage) -> float:
    choice, (low, high) = rng.random(), settings.resize
    if choice < settings.enlarged:
        return rng.uniform(1, high)
    return rng.uniform(low, 1) if choice < settings.enlarged + settings.shrunk else 1.0


def _compress(images: Tensor, settings: DegradationStage, rng: np.random.Generator) -> Tensor:
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
    """Blur, resize to about `size`, noise: one stage without its JPEG."""
    images = blur(images, draw_kernels(rng, len(images), settings))
    factor = _factor(rng, settings)
    height, width = (max(1, round(side * factor)) for side in size)
    images = _resize(images, (height, width), rng).clamp(0, 1)
    return add_noise(images, settings, rng=rng, generator=generator)


def _degrade_part(
    hr: Tensor,
    settings: DegradationSettings,
    scale: int,
    *,
    rng: np.random.Generator,
    generator: torch.Generator,
) -> Tensor:
    height, width = hr.shape[-2:]
    size = (height // scale, width // scale)
    degrade_once = partial(_degrade_once, rng=rng, generator=generator)
    images = _compress(degrade_once(hr, (height, width), settings.first), settings.first, rng)
    images = degrade_once(images, size, settings.second)
    compressed_first = rng.random() < 0.5
    if compressed_first:
        images = _compress(images, settings.second, rng)
    kernels = draw_sincs(rng, len(images), settings.final_sinc)
    # resize first: the other order twists lines (a note in the public code)
    images = blur(_resize(images, size, rng), kernels)
    return images if compressed_first else _compress(images, settings.second, rng)


@torch.no_grad()
def degrade(
    hr: Tensor, settings: DegradationSettings, scale: int, *, seed: int, step: int
) -> Tensor:
    """Makes the LR images of a step, deterministic on a device, from HR in [0, 1].

    (N, 3, scale H, scale W) to (N, 3, H, W), multiples of 1/255, channels last in memory.
    """
    height, width = hr.shape[-2:]
    assert height % scale == 0 and width % scale == 0, "HR's sides are multiples of scale"  # noqa: PT018
    rng = np.random.default_rng([seed, step, _TAG])
    generator = torch.Generator(hr.device).manual_seed(int(rng.integers(2**63)))
    parts = [
        _degrade_part(part, settings, scale, rng=rng, generator=generator)
        for part in torch.split(hr.contiguous(), settings.images_per_resize)
    ]
    lr = torch.cat(parts).clamp(0, 1).mul(255).add(0.5).floor() / 255
    return lr.contiguous(memory_format=torch.channels_last)
