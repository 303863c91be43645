"""Means of scores over a test set, with intervals."""

import pandas as pd

from srmodels.evaluation.interval import BOUNDS, FEWEST, interval

_DIGITS = 6
_SIGNED = "shift_"  # directions of a tint have no interval; colour_shift has one


def _mean(name: str, values: pd.Series) -> dict[str, float]:
    """The mean by name and, with enough images, the ends of its interval."""
    scores = {name: float(values.mean())}
    if len(values) >= FEWEST and not name.startswith(_SIGNED):
        bounds = interval(values.to_numpy(float))
        scores |= {name + end: bound for end, bound in zip(BOUNDS, bounds, strict=True)}
    return {key: round(value, _DIGITS) for key, value in scores.items()}


def means(table: pd.DataFrame) -> dict[str, dict[str, float]]:
    """The mean of every score over the pictures, by model and score, in the table's order.

    From three pictures on, NAME_low and NAME_high follow each: the 95 % interval.
    """
    result: dict[str, dict[str, float]] = {}
    for model in dict.fromkeys(table["model"]):
        rows = table[table["model"] == model].dropna(axis="columns", how="all")
        columns = [str(name) for name in rows.columns if name not in ("image", "model")]
        result[str(model)] = {
            key: value for name in columns for key, value in _mean(name, rows[name]).items()
        }
    return result
