"""Random blur kernels of Real-ESRGAN (arXiv:2107.10833, sections 3.1 and 3.3), one per image.

Kernels are symmetric about their centre, so they do not shift the image, and sum to 1.
"""

import math

import numpy as np
import torch
import torch.nn.functional as F
from numpy.typing import NDArray
from scipy.special import j1
from torch import Tensor

from srmodels.data.degradation.settings import DegradationStage, Kernel
from srmodels.resize.tensors import mirror

Weights = NDArray[np.float64]

SIDE = 21
"""Pixels; smaller kernels are padded with zeros."""

_SIZES = range(7, SIDE + 1, 2)
_NEGLIGIBLE = 1e-12  # set to 0: denormal numbers make a CPU ten times slower
_SMALL = 13  # smaller sinc filters need a higher cutoff


def _grid() -> tuple[Weights, Weights]:
    y, x = np.mgrid[:SIDE, :SIDE] - float(SIDE // 2)
    return y, x


def _crop(values: Weights, size: int) -> Weights:
    """Sets all but the middle `size` pixels to 0 and the sum to 1."""
    y, x = _grid()
    inside = np.where(np.maximum(abs(y), abs(x)) <= size // 2, values, 0)
    normalised: Weights = inside / inside.sum()
    return normalised


def gaussian(
    kind: Kernel, size: int, *, sigmas: tuple[float, float], angle: float, shape: float
) -> Weights:
    """A kernel of the Gaussian family (section 3.1), (SIDE, SIDE).

    `size` is odd; `sigmas` are the standard deviations along two axes, in pixels, the first at
    `angle` radians; `shape` is the exponent beta of generalised and plateau-shaped kernels.
    """
    y, x = _grid()
    along, across = np.cos(angle) * x + np.sin(angle) * y, np.cos(angle) * y - np.sin(angle) * x
    squares = (along / sigmas[0]) ** 2 + (across / sigmas[1]) ** 2
    if kind.startswith("plateau"):
        return _crop(1 / (1 + squares**shape), size)
    if kind.startswith("generalised"):
        squares = squares**shape
    return _crop(np.exp(-squares / 2), size)


def sinc(size: int, cutoff: float) -> Weights:
    """The ideal low-pass filter (section 3.3), (SIDE, SIDE), of a cutoff in radians per pixel."""
    distance = np.hypot(*_grid())
    centre = distance == 0
    radius = np.where(centre, 1, distance)
    values = cutoff * j1(cutoff * radius) / (2 * math.pi * radius)
    return _crop(np.where(centre, cutoff**2 / (4 * math.pi), values), size)


def _identity() -> Weights:
    y, x = _grid()
    return np.where((y == 0) & (x == 0), 1.0, 0.0)


def _draw_shape(rng: np.random.Generator, bounds: tuple[float, float]) -> float:
    low, high = bounds
    return rng.uniform(low, 1) if rng.random() < 0.5 else rng.uniform(1, high)


def _draw_gaussian(rng: np.random.Generator, size: int, settings: DegradationStage) -> Weights:
    names = list(settings.kernels)
    weights = np.array(list(settings.kernels.values()))
    kind = names[rng.choice(len(names), p=weights / weights.sum())]
    first, second = rng.uniform(*settings.sigma, 2)
    angle = rng.uniform(-math.pi, math.pi)
    bounds = settings.plateau_shape if kind.startswith("plateau") else settings.generalised_shape
    sigmas = (first, second if kind.endswith("anisotropic") else first)
    return gaussian(kind, size, sigmas=sigmas, angle=angle, shape=_draw_shape(rng, bounds))


def _stack(kernels: list[Weights]) -> Tensor:
    values = np.stack(kernels)
    values[abs(values) < _NEGLIGIBLE] = 0
    return torch.from_numpy(values.astype(np.float32))


def draw_kernels(rng: np.random.Generator, count: int, settings: DegradationStage) -> Tensor:
    """The kernels of one stage, float32 (count, SIDE, SIDE); the identity for unblurred images."""
    kernels = []
    for _ in range(count):
        size = int(rng.choice(_SIZES))
        if rng.random() >= settings.blur:
            kernels.append(_identity())
        elif rng.random() < settings.sinc:
            lowest = math.pi / 3 if size < _SMALL else math.pi / 5
            kernels.append(sinc(size, rng.uniform(lowest, math.pi)))
        else:
            kernels.append(_draw_gaussian(rng, size, settings))
    return _stack(kernels)


def draw_sincs(rng: np.random.Generator, count: int, share: float) -> Tensor:
    """The final sinc filters, float32 (count, SIDE, SIDE); the identity for all but `share`."""
    kernels = [
        sinc(int(rng.choice(_SIZES)), rng.uniform(math.pi / 3, math.pi))
        if rng.random() < share
        else _identity()
        for _ in range(count)
    ]
    return _stack(kernels)


def blur(images: Tensor, kernels: Tensor) -> Tensor:
    """Filters images (N, 3, H, W), float32, each with its own kernel; mirrors the edges."""
    padded = mirror(images, SIDE // 2)
    kernels = kernels.to(images.device, non_blocking=True)
    weights = kernels.repeat_interleave(3, dim=0)[:, None]
    # one grouped convolution: all planes are channels of one image
    planes = padded.reshape(1, -1, *padded.shape[-2:])
    return F.conv2d(planes, weights, groups=len(weights)).reshape(images.shape)
