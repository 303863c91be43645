"""Training losses and validations of several experiments, a chart per quantity."""

import io
from collections.abc import Iterator, Sequence
from math import inf, nan

import pandas as pd
from matplotlib.figure import Figure

from srmodels.comparison.charts import Series, line_chart
from srmodels.comparison.experiment import Experiment

_STAGES = {  # by file of plots/, in the order of the charts
    "pretrain_validation": "pretrain",
    "gan_validation": "gan",
    "pretrain": "pretrain",
    "gan": "gan",
}
_NOT_DRAWN = ("learning_rate", "gradient_norm")
_MAX_POINTS = 300  # of a curve: about one per pixel of the chart


def _read_curves(experiment: Experiment, file: str) -> pd.DataFrame:
    """The numeric columns; empty if the file is missing, empty or has no column of steps."""
    try:
        table = pd.read_csv(io.BytesIO(experiment.files.read(f"plots/{file}.csv") or b""))
    except ValueError:  # no header: the training phase did not take place
        return pd.DataFrame()
    numbers = table.select_dtypes("number")
    return numbers if "step" in numbers else pd.DataFrame()


def _points(table: pd.DataFrame, name: str) -> list[tuple[float, float]]:
    finite = table[["step", name]].replace([inf, -inf], nan).dropna().drop_duplicates("step")
    thinned = finite.iloc[:: -(-len(finite) // _MAX_POINTS) or 1]
    return [(float(step), float(value)) for step, value in thinned.itertuples(index=False)]


def curve_charts(experiments: Sequence[Experiment]) -> Iterator[tuple[str, Figure]]:
    """A title and a chart for every column of every curve file, validations first."""
    for file, stage in _STAGES.items():
        tables = [_read_curves(experiment, file) for experiment in experiments]
        for name in dict.fromkeys(str(name) for table in tables for name in table):
            if name == "step" or name.endswith(_NOT_DRAWN):
                continue
            series = [
                Series(label=experiment.label, colour=colour, points=points)
                for colour, (experiment, table) in enumerate(zip(experiments, tables, strict=True))
                if name in table and (points := _points(table, name))
            ]
            if series:
                yield f"{stage}: {name}", line_chart(series, x_label="step")
