"""Means of scores over a test set's images, with 95 % bootstrap intervals.

Efron, Tibshirani, "An Introduction to the Bootstrap", 1993, chapter 13. An interval covers other
images like these, not other trainings.
"""

from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

if TYPE_CHECKING:  # an enlargement reads this module's constants, without pandas
    import pandas as pd

BOUNDS = ("_low", "_high")  # appended to a score's name
DRAWS = 10_000
FEWEST = 3  # images; with two, a resample is one, the other or their mean
SHARE = 0.95
_BLOCK = 2**22  # numbers drawn at a time
_DIGITS = 6
_SIGNED = "shift_"  # directions of a tint have no interval; colour_shift has one


def interval(values: NDArray[np.float64], *, seed: int = 0) -> tuple[float, float]:
    """The ends of the interval of a mean over (n,), a value per image; a seed draws the images."""
    rng, count = np.random.default_rng(seed), len(values)
    rows = max(1, _BLOCK // count)
    means = [
        values[rng.integers(count, size=(min(rows, DRAWS - done), count))].mean(axis=1)
        for done in range(0, DRAWS, rows)
    ]
    low, high = np.quantile(np.concatenate(means), [(1 - SHARE) / 2, (1 + SHARE) / 2])
    return float(low), float(high)


def means(table: "pd.DataFrame") -> dict[str, dict[str, float]]:
    """Mean scores by model; from three pictures on NAME_low and NAME_high, their intervals."""
    result: dict[str, dict[str, float]] = {}
    for model, rows in table.groupby("model", sort=False):
        scores = rows.drop(columns=["image", "model"], errors="ignore").dropna(axis=1, how="all")
        row = result[str(model)] = {}
        for name, values in scores.items():
            row[str(name)] = round(float(values.mean()), _DIGITS)
            if len(values) >= FEWEST and not str(name).startswith(_SIGNED):
                bounds = zip(BOUNDS, interval(values.to_numpy(float)), strict=True)
                row |= {f"{name}{end}": round(bound, _DIGITS) for end, bound in bounds}
    return result
