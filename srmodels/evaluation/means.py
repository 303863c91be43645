"""From a score per picture to what a test set says: means, and how far they can be trusted."""

import pandas as pd

from srmodels.evaluation.interval import BOUNDS, FEWEST, interval

__all__ = ["means"]

_DIGITS = 6
_SIGNED = "shift_"  # a tint's direction; how large it is, with its interval, says colour_shift


def _mean(name: str, values: pd.Series) -> dict[str, float]:
    """A score's mean by its name and, where there are images enough, the interval around it."""
    found = {name: float(values.mean())}
    if len(values) >= FEWEST and not name.startswith(_SIGNED):
        bounds = interval(values.to_numpy(float))
        found |= {name + end: bound for end, bound in zip(BOUNDS, bounds, strict=True)}
    return {key: round(value, _DIGITS) for key, value in found.items()}


def means(table: pd.DataFrame) -> dict[str, dict[str, float]]:
    """The mean of every score over the pictures, by model and score, in the table's order.

    With three pictures or more, NAME_low and NAME_high follow: the 95 % interval around it.
    """
    found: dict[str, dict[str, float]] = {}
    for model in dict.fromkeys(table["model"]):
        rows = table[table["model"] == model].dropna(axis="columns", how="all")
        columns = [str(name) for name in rows.columns if name not in ("image", "model")]
        found[str(model)] = {
            key: value for name in columns for key, value in _mean(name, rows[name]).items()
        }
    return found
