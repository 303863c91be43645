"""Samples of SR: drawing them, how much they differ, and a picture of them."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Protocol

import numpy as np
import torch
from numpy.typing import NDArray

from srmodels.evaluation.metrics.luma import Picture
from srmodels.evaluation.pictures import CROP, most_detailed_crop, sheet

Draw = Callable[[Picture, int], list[Picture]]
"""LR and its index in the set to samples of SR."""

_SHOWN = 4
_BRIGHTEST = 64  # a difference of 4 grey levels is white
_DRAWN_SHARE = 0.995  # of the deviations that the map shows without clipping


@dataclass(frozen=True, kw_only=True)
class Sampling:
    """How samples are drawn."""

    number: int = 5  # of each picture; 0 for none
    temperature: float = 1.0  # multiplies the standard deviations of the latents
    seed: int = 0  # of the random numbers, with a picture's index in its set


class Sampled(Protocol):
    """A generator that may have samples."""

    @property
    def has_samples(self) -> bool:
        """Whether `sample` works."""

    def sample(self, lr: Picture, /, *, generator: torch.Generator, temperature: float) -> Picture:
        """Enlarges uint8 (H, W, 3) with another latent on every call."""


def drawing(generator: Sampled, sampling: Sampling) -> Draw | None:
    """A function that draws a generator's samples; None where there are none to draw."""
    if not (generator.has_samples and sampling.number):
        return None

    def draw(lr: Picture, place: int) -> list[Picture]:
        seed = np.random.SeedSequence([sampling.seed, place]).generate_state(1, np.uint64).item()
        rng = torch.Generator().manual_seed(seed)
        return [
            generator.sample(lr, generator=rng, temperature=sampling.temperature)
            for _ in range(sampling.number)
        ]

    return draw


def deviation(samples: Sequence[Picture]) -> NDArray[np.float64]:
    """Population standard deviation over samples, uint8 (H, W, 3), of each value: float64."""
    total = np.zeros(samples[0].shape, np.int64)
    squares = np.zeros_like(total)
    for sample in samples:  # integers, so that equal samples have exactly 0
        values = sample.astype(np.int64)
        total += values
        squares += values**2
    result: NDArray[np.float64] = np.sqrt(len(samples) * squares - total**2) / len(samples)
    return result


def diversity(samples: Sequence[Picture]) -> float:
    """The mean of `deviation` over pixels and channels: 0 for equal samples."""
    return float(deviation(samples).mean())


def _deviation_map(samples: Sequence[Picture]) -> tuple[int, Picture]:
    """The deviations as a picture, and the largest power of 2 that brightens them unclipped."""
    deviations = deviation(samples)
    most, factor = float(np.quantile(deviations, _DRAWN_SHARE)), _BRIGHTEST
    while factor > 1 and factor * most > 255:
        factor //= 2
    bright = np.floor(np.minimum(factor * deviations, 255) + 0.5)
    return factor, bright.astype(np.uint8)


def strip(
    pictures: Mapping[str, Picture], samples: Sequence[Picture], hr: Picture, *, scale: int
) -> Picture:
    """Draws bicubic, the prior's mean, four samples and the samples' deviation, uint8 (H, W, 3)."""
    bicubic, *_, mean = pictures.values()
    factor, bright = _deviation_map(samples)
    side = min(CROP, *hr.shape[:2])
    numbered = {f"sample {number}": sample for number, sample in enumerate(samples[:_SHOWN], 1)}
    panels = {"bicubic": bicubic, "mean latent": mean, **numbered, f"deviation x {factor}": bright}
    return sheet(panels, corner=most_detailed_crop(hr, side, multiple=scale), crop=side)
