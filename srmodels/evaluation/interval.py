"""How far the mean over a test set's images can be trusted: the interval around it.

The percentile bootstrap (Efron, Tibshirani, "An Introduction to the Bootstrap", 1993, chapter 13):
images are drawn with replacement, as many as there are, over and over. It speaks of other images
like these, not of another training with another seed.
"""

import numpy as np
from numpy.typing import NDArray

__all__ = ["BOUNDS", "DRAWS", "FEWEST", "SHARE", "interval"]

BOUNDS = ("_low", "_high")  # behind a score's name
DRAWS = 10_000
FEWEST = 3  # images; of two, a resample is one, the other or their mean
SHARE = 0.95
_BLOCK = 2**22  # numbers drawn at a time


def interval(values: NDArray[np.float64], *, seed: int = 0) -> tuple[float, float]:
    """The 95 % percentile bootstrap interval of a mean.

    Args:
        values: (n,), one per image, n at least 2.
        seed: Equal seeds draw the same images, so that scores of one set move together.

    Returns:
        Its lower and its upper end.
    """
    draw, count = np.random.default_rng(seed), len(values)
    rows = max(1, _BLOCK // count)
    means = [
        values[draw.integers(count, size=(min(rows, DRAWS - done), count))].mean(axis=1)
        for done in range(0, DRAWS, rows)
    ]
    low, high = np.quantile(np.concatenate(means), [(1 - SHARE) / 2, (1 + SHARE) / 2])
    return float(low), float(high)
