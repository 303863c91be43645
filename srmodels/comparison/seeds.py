"""Differences of two recipes that were trained with several seeds each.

A hierarchical bootstrap draws images, and trainings of each recipe, with replacement. A sample of n
seeds varies less than all seeds would, by the factor sqrt((n - 1) / n); so its deviations are
enlarged first.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from srmodels.comparison.difference import (
    FEW,
    NO_DIFFERENCE,
    better_direction,
    distance_from_best,
)
from srmodels.comparison.experiment import Experiment
from srmodels.evaluation.means import DRAWS, FEWEST, SHARE

Values = NDArray[np.float64]  # (seeds, images)


@dataclass(frozen=True, kw_only=True)
class SeedDifference:
    """A score of one set in two recipes."""

    score: str
    direction: str  # as in `difference`
    images: int
    first: float  # mean over images and seeds
    other: float
    bounds: tuple[float, float] | None  # the 95 % interval of other - first
    verdict: str  # on the other recipe
    spread: float  # standard deviation over the images of other - first, each a mean over seeds
    seed_spread: float  # standard deviation over seeds of a mean over images, of both recipes

    @property
    def difference(self) -> float:
        """Other - first."""
        return self.other - self.first


def _widened(values: Values) -> Values:
    seeds = len(values)
    if seeds < 2:
        return values
    mean = values.mean(axis=0)
    widened: Values = mean + np.sqrt(seeds / (seeds - 1)) * (values - mean)
    return widened


def seed_interval(first: Values, other: Values, *, seed: int = 0) -> tuple[float, float]:
    """The 95 % interval of mean(other) - mean(first) over images and seeds.

    Args:
        first: (seeds, images); the images are those of `other`.
        other: (seeds, images); its number of seeds may differ.
        seed: Of the draws.
    """
    rng, images = np.random.default_rng(seed), first.shape[1]
    # the mean over drawn seeds and images is a product of how often each was drawn
    counts = rng.multinomial(images, np.full(images, 1 / images), DRAWS) / images
    means = []
    for values in (other, first):
        seeds = len(values)
        drawn = rng.multinomial(seeds, np.full(seeds, 1 / seeds), DRAWS) / seeds
        means.append(np.einsum("ds,sp,dp->d", drawn, _widened(values), counts, optimize=True))
    low, high = np.quantile(means[0] - means[1], [(1 - SHARE) / 2, (1 + SHARE) / 2])
    return float(low), float(high)


def _verdict(first: Values, other: Values, direction: str) -> str:
    if not direction or first.shape[1] < FEWEST:
        return ""
    low, high = seed_interval(
        distance_from_best(first, direction), distance_from_best(other, direction)
    )
    if low <= 0 <= high:
        return NO_DIFFERENCE
    word = "better" if high < 0 else "worse"
    return f"perhaps {word}" if first.shape[1] < FEW else word


def _values(experiments: Sequence[Experiment], name: str, score: str, images: pd.Index) -> Values:
    columns = [one.scores(name, one.row).loc[images, score] for one in experiments]
    return np.stack([column.to_numpy(np.float64) for column in columns])


def seed_differences(
    first: Sequence[Experiment], other: Sequence[Experiment], name: str
) -> list[SeedDifference]:
    """Compares the scores of a set that all experiments have, on the images that all have."""
    tables = [one.scores(name, one.row) for one in (*first, *other)]
    images = tables[0].index
    for table in tables[1:]:
        images = images.intersection(table.index)
    found = []
    for score in (str(s) for s in tables[0] if all(s in table for table in tables)):
        one, two = (_values(group, name, score, images) for group in (first, other))
        direction = better_direction(score)
        means = [values.mean(axis=1) for values in (one, two)]
        spreads = [mean.std(ddof=1) for mean in means if len(mean) > 1]
        found.append(
            SeedDifference(
                score=score,
                direction=direction,
                images=len(images),
                first=float(one.mean()),
                other=float(two.mean()),
                bounds=seed_interval(one, two) if len(images) >= FEWEST else None,
                verdict=_verdict(one, two, direction),
                spread=float((two.mean(axis=0) - one.mean(axis=0)).std(ddof=1))
                if len(images) > 1
                else 0.0,
                seed_spread=float(np.mean(spreads)) if spreads else 0.0,
            )
        )
    return found
