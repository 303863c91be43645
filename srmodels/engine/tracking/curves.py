"""Curves in CSV files, and a stage's metrics in JSON.

The CSV files are the source of truth, and MLflow gets a copy. They hold no times, so two runs of
one configuration write equal bytes.
"""

import csv
from collections.abc import Mapping
from pathlib import Path

import pandas as pd

from srmodels.atomic import write_bytes, write_json, write_table

__all__ = ["Curve", "Point", "read_points", "write_curves", "write_metrics"]

Point = tuple[int, str, float]
"""A step, a name and a value."""


class Curve:
    """A CSV file with a `step` column and one column per scalar; every row is flushed."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.columns: list[str] = next(iter(self._rows()), [])

    def _rows(self) -> list[list[str]]:
        if not self.path.exists():
            return []
        with self.path.open(newline="", encoding="utf-8") as file:
            return list(csv.reader(file))

    def cut_after(self, step: int) -> None:
        """Drops rows after `step`, and a last line that a kill left half written."""
        rows = self._rows()
        if not rows:
            return
        self.columns = rows[0]
        complete = [row for row in rows[1:] if len(row) == len(self.columns)]
        write_table(self.path, self.columns, [row for row in complete if int(row[0]) <= step])

    def add(self, step: int, scalars: Mapping[str, float]) -> None:
        """Appends a row; all rows have the same columns."""
        columns = ["step", *scalars]
        first = not self.columns
        self.columns = self.columns or columns
        assert self.columns == columns, f"{self.path}: columns changed in mid-run"
        with self.path.open("a", newline="", encoding="utf-8") as file:
            writer = csv.writer(file, lineterminator="\n")
            if first:
                writer.writerow(columns)
            writer.writerow([step, *(f"{value:.6g}" for value in scalars.values())])


def read_points(path: Path) -> list[Point]:
    """All points of a curve; none if the file is missing or empty."""
    if not path.exists() or not path.stat().st_size:
        return []
    table = pd.read_csv(path).melt(id_vars="step").dropna()
    return [
        (int(step), str(name), float(value))
        for step, name, value in table.itertuples(index=False, name=None)
    ]


def write_curves(name: str, folder: Path, source: Path | None) -> None:
    """Copies a training's curves from `source`; writes headers only if that is None."""
    for curve, target in (("losses", name), ("validation", f"{name}_validation")):
        path = source / f"{curve}.csv" if source else None
        write_bytes(folder / f"{target}.csv", path.read_bytes() if path else b"step\n")


def write_metrics(name: str, values: Mapping[str, object]) -> None:
    """Writes metrics/<name>.json, with the values under `name`."""
    write_json(Path("metrics") / f"{name}.json", {name: values})
