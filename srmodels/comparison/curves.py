"""The losses and validations of several trainings, a chart per quantity."""

import io
from collections.abc import Sequence
from math import inf, nan

import pandas as pd

from srmodels.comparison.charts import Chart, Series, line_chart
from srmodels.comparison.experiment import Experiment

__all__ = ["curve_charts"]

_FILES = {  # of plots/: the stage they belong to
    "pretrain_validation": "pretrain",
    "gan_validation": "gan",
    "pretrain": "pretrain",
    "gan": "gan",
}
_NO_CURVE = ("learning_rate", "gradient_norm")  # as set, or of use to nobody who compares
_MOST = 300  # points of a curve; more than a chart has pixels shows nothing more


def _table(entry: Experiment, file: str) -> pd.DataFrame:
    """A curve file's numbers; empty where it has none, which is no fault of a comparison."""
    text = entry.source.read(f"plots/{file}.csv")
    try:
        table = pd.read_csv(io.BytesIO(text or b""))
    except ValueError:  # empty, as of a phase that did not take place
        return pd.DataFrame()
    numbers = table.select_dtypes("number")
    return numbers if "step" in numbers else pd.DataFrame()


def _series(entry: Experiment, colour: int, table: pd.DataFrame, name: str) -> Series:
    points = table[["step", name]].replace([inf, -inf], nan).dropna().drop_duplicates("step")
    thinned = points.iloc[:: -(-len(points) // _MOST) or 1]
    rows = [(float(step), float(value)) for step, value in thinned.itertuples(index=False)]
    return Series(label=entry.label, colour=colour, points=rows)


def curve_charts(entries: Sequence[Experiment]) -> list[Chart]:
    """Draws every column of every curve file, those of equal names into one chart.

    Args:
        entries: An experiment's place is its colour.

    Returns:
        Validations first. Columns that no experiment has make no chart.
    """
    charts = []
    for file, stage in _FILES.items():
        tables = [_table(entry, file) for entry in entries]
        names = dict.fromkeys(str(name) for table in tables for name in table if name != "step")
        for name in names:
            if name.endswith(_NO_CURVE):
                continue
            series = [
                _series(entry, colour, table, name)
                for colour, (entry, table) in enumerate(zip(entries, tables, strict=True))
                if name in table
            ]
            series = [each for each in series if each.points]
            if series:
                charts.append(line_chart(f"{stage}: {name}", series, x_label="step"))
    return charts
