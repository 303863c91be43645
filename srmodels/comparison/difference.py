"""Differences of two experiments' scores, image by image, with 95 % intervals and verdicts.

The interval is the paired bootstrap of `srmodels.evaluation.means`. It covers the choice of
images, not of the training seed: two seeds of one recipe may well get the verdict "better".
"""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from srmodels.comparison.experiment import Experiment
from srmodels.evaluation.means import FEWEST, interval

NO_DIFFERENCE = "no difference shown"
FEW = 5  # images; an interval over fewer shows little

Scores = NDArray[np.float64]
_DIRECTIONS: dict[str, tuple[str, Callable[[Scores], Scores]]] = {  # names, distance from the best
    "up": ("psnr ssim lr_consistency", np.negative),
    "down": ("colour_shift checkerboard lpips lpips_vgg dists", np.asarray),
    "to 1": ("sharpness", lambda values: np.abs(values - 1)),
    "to 0": ("shift", np.abs),
}


@dataclass(frozen=True, kw_only=True)
class Difference:
    """A score of one set in two experiments, over the images that both have."""

    score: str
    direction: str  # "up", "down", "to 1" or "to 0" is better; "" if the score has no best value
    images: int  # their number; 0 if only means are known
    first: float  # mean of the first experiment
    other: float  # mean of the other
    # the 95 % interval of other - first; None with fewer than `FEWEST` images
    bounds: tuple[float, float] | None = None
    # on the other: "better", "worse", "no difference shown"; "perhaps ..." with fewer than `FEW`
    # images; "" without an interval or a direction
    verdict: str = ""
    spread: float | None = None  # standard deviation of other - first over the images

    @property
    def difference(self) -> float:
        """Other - first."""
        return self.other - self.first


def better_direction(score: str) -> str:
    """Which way a score is better: "up", "down", "to 1", "to 0" or "" (neither)."""
    for direction, (names, _) in _DIRECTIONS.items():
        if score.startswith(tuple(names.split())):
            return direction
    return ""


def distance_from_best(values: Scores, direction: str) -> Scores:
    """How far scores are from the best one, of any shape; less is better."""
    return _DIRECTIONS[direction][1](values)


def _verdict(first: Scores, other: Scores, direction: str) -> str:
    if not direction or len(first) < FEWEST:
        return ""
    low, high = interval(
        distance_from_best(other, direction) - distance_from_best(first, direction)
    )
    if low <= 0 <= high:
        return NO_DIFFERENCE
    word = "better" if high < 0 else "worse"
    return f"perhaps {word}" if len(first) < FEW else word


def differences(first: Experiment, other: Experiment, name: str) -> list[Difference]:
    """Compares the scores that both have on a set, of images paired by name; else of means."""
    ours, theirs = first.scores(name, first.row), other.scores(name, other.row)
    images = ours.index.intersection(theirs.index)
    if len(images):
        ours, theirs = ours.loc[images], theirs.loc[images]
    else:
        ours, theirs = (pd.DataFrame([e.means(name, e.row)]) for e in (first, other))
    compared = []
    for score in (str(score) for score in ours if score in theirs):
        one, two = ours[score].to_numpy(), theirs[score].to_numpy()
        direction = better_direction(score)
        compared.append(
            Difference(
                score=score,
                direction=direction,
                images=len(images),
                first=float(one.mean()),
                other=float(two.mean()),
                bounds=interval(two - one) if len(images) >= FEWEST else None,
                verdict=_verdict(one, two, direction),
                spread=float((two - one).std(ddof=1)) if len(images) > 1 else None,
            )
        )
    return compared
