"""Samples of one picture's SR: where they come from, how much they differ, what that looks like."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Protocol

import numpy as np
import torch
from numpy.typing import NDArray

from srmodels.evaluation.luma import Picture
from srmodels.evaluation.pictures import CROP, most_detailed_crop, sheet

__all__ = ["Draw", "Sampled", "Sampling", "deviation", "diversity", "drawing", "strip"]

Draw = Callable[[Picture, int], list[Picture]]
"""LR and its place in the set to samples of SR."""

_SHOWN = 4
_BRIGHTEST = 64  # a difference of 4 grey levels is white
_DRAWN_SHARE = 0.995  # of the deviations that the map must not cut off


@dataclass(frozen=True, kw_only=True)
class Sampling:
    """How samples are drawn.

    Attributes:
        number: Of each picture; 0 for none.
        temperature: What the standard deviations of the latents are multiplied by.
        seed: With a picture's place in its set, all that a sample's randomness depends on.
    """

    number: int = 5
    temperature: float = 1.0
    seed: int = 0


class Sampled(Protocol):
    """A generator that may be one of those that have samples."""

    @property
    def has_samples(self) -> bool:
        """Whether there is anything to draw."""
        ...

    def sample(self, lr: Picture, /, *, generator: torch.Generator, temperature: float) -> Picture:
        """Enlarges uint8 (H, W, 3) with another latent on every call."""
        ...


def drawing(generator: Sampled, sampling: Sampling) -> Draw | None:
    """What draws a generator's samples; None where it has none or none are wanted."""
    if not (generator.has_samples and sampling.number):
        return None

    def draw(lr: Picture, place: int) -> list[Picture]:
        seed = np.random.SeedSequence([sampling.seed, place]).generate_state(1, np.uint64).item()
        source = torch.Generator().manual_seed(seed)
        return [
            generator.sample(lr, generator=source, temperature=sampling.temperature)
            for _ in range(sampling.number)
        ]

    return draw


def deviation(samples: Sequence[Picture]) -> NDArray[np.float64]:
    """Standard deviation of each 8-bit value over the samples.

    Args:
        samples: uint8 (H, W, 3) each.

    Returns:
        float64 (H, W, 3), in grey levels of 255; the samples are the whole population.
    """
    total = np.zeros(samples[0].shape, np.int64)
    squares = np.zeros_like(total)
    for each in samples:  # whole numbers: equal samples have exactly 0
        values = each.astype(np.int64)
        total += values
        squares += values**2
    found: NDArray[np.float64] = np.sqrt(len(samples) * squares - total**2) / len(samples)
    return found


def diversity(samples: Sequence[Picture]) -> float:
    """The mean of `deviation` over pixels and channels: 0 for equal samples."""
    return float(deviation(samples).mean())


def _map(samples: Sequence[Picture]) -> tuple[int, Picture]:
    """The deviations as a picture, brighter by the largest power of 2 that cuts few of them off."""
    deviations = deviation(samples)
    most, factor = float(np.quantile(deviations, _DRAWN_SHARE)), _BRIGHTEST
    while factor > 1 and factor * most > 255:
        factor //= 2
    bright = np.floor(np.minimum(factor * deviations, 255) + 0.5)
    return factor, bright.astype(np.uint8)


def strip(
    pictures: Mapping[str, Picture], samples: Sequence[Picture], hr: Picture, *, scale: int
) -> Picture:
    """Draws bicubic, the prior's mean, four samples and where the samples differ.

    Args:
        pictures: SR by name, uint8 (H, W, 3) each; the first is bicubic's, the last the mean's.
        samples: uint8 (H, W, 3) each; the deviations are those of all.
        hr: uint8 (H, W, 3); decides which crop is enlarged, as in `comparison`.
        scale: HR over LR.

    Returns:
        uint8 (height, width, 3) on white, each picture whole and a crop of it, named above.
    """
    everyone = list(pictures.values())
    factor, bright = _map(samples)
    side = min(CROP, *hr.shape[:2])
    numbered = {f"sample {number}": each for number, each in enumerate(samples[:_SHOWN], 1)}
    return sheet(
        {
            "bicubic": everyone[0],
            "mean latent": everyone[-1],
            **numbered,
            f"deviation x {factor}": bright,
        },
        corner=most_detailed_crop(hr, side, multiple=scale),
        crop=side,
    )
