"""The 95 % bootstrap interval around a mean over a test set's images.

Efron, Tibshirani, "An Introduction to the Bootstrap", 1993, chapter 13. It covers other images like
these, not other trainings.
"""

import numpy as np
from numpy.typing import NDArray

BOUNDS = ("_low", "_high")  # appended to a score's name
DRAWS = 10_000
FEWEST = 3  # images; with two, a resample is one, the other or their mean
SHARE = 0.95
_BLOCK = 2**22  # numbers drawn at a time


def interval(values: NDArray[np.float64], *, seed: int = 0) -> tuple[float, float]:
    """The ends of the percentile bootstrap interval of a mean over (n,), one value per image.

    Scores with one seed draw the same images.
    """
    rng, count = np.random.default_rng(seed), len(values)
    rows = max(1, _BLOCK // count)
    means = [
        values[rng.integers(count, size=(min(rows, DRAWS - done), count))].mean(axis=1)
        for done in range(0, DRAWS, rows)
    ]
    low, high = np.quantile(np.concatenate(means), [(1 - SHARE) / 2, (1 + SHARE) / 2])
    return float(low), float(high)
