"""Curves on disk: one CSV a curve file, appended while training, cut back on resume.

The CSV is the source of truth; tracking servers get a copy. It holds no times, so that two runs of
one configuration write the same bytes.

What a finished training leaves for DVC to compare, beside its weights: curves and metrics.
"""

import csv
import json
from collections.abc import Mapping
from pathlib import Path

import pandas as pd

__all__ = ["Curve", "read_points", "write_curves", "write_metrics"]


class Curve:
    """A CSV with a `step` column and one column per scalar; every row is flushed when written."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.columns: list[str] = []
        if path.exists():
            with path.open(newline="", encoding="utf-8") as file:
                self.columns = next(csv.reader(file), [])

    def cut_after(self, step: int) -> None:
        """Drops rows beyond `step`, and a last line that a kill left half written."""
        if not self.path.exists():
            return
        with self.path.open(newline="", encoding="utf-8") as file:
            header, *rows = list(csv.reader(file)) or [[]]
        kept = [row for row in rows if len(row) == len(header) and int(row[0]) <= step]
        partial = self.path.with_suffix(".partial")
        with partial.open("w", newline="", encoding="utf-8") as file:
            csv.writer(file, lineterminator="\n").writerows([header, *kept] if header else [])
        partial.replace(self.path)
        self.columns = header

    def add(self, step: int, scalars: Mapping[str, float]) -> None:
        """Appends one row; all rows of a curve have the same columns."""
        first = not self.columns
        if first:
            self.columns = ["step", *scalars]
        assert self.columns == ["step", *scalars], f"{self.path}: columns changed in mid-run"
        with self.path.open("a", newline="", encoding="utf-8") as file:
            writer = csv.writer(file, lineterminator="\n")
            if first:
                writer.writerow(self.columns)
            writer.writerow([step, *(f"{value:.6g}" for value in scalars.values())])


def read_points(path: Path) -> list[tuple[int, str, float]]:
    """Every point of a curve file as (step, name, value); none if the file is missing or empty."""
    if not path.exists() or not path.stat().st_size:
        return []
    table = pd.read_csv(path).melt(id_vars="step").dropna()
    return [
        (int(step), str(name), float(value))
        for step, name, value in table.itertuples(index=False, name=None)
    ]


def write_curves(name: str, folder: Path, source: Path | None) -> None:
    """Copies the curves of a training from `source`; headers only where nothing was trained."""
    folder.mkdir(exist_ok=True)
    for curve, target in (("losses", name), ("validation", f"{name}_validation")):
        path = source / f"{curve}.csv" if source else None
        text = path.read_text(encoding="utf-8") if path else "step\n"
        (folder / f"{target}.csv").write_text(text, encoding="utf-8")


def write_metrics(name: str, values: Mapping[str, object]) -> None:
    """Writes metrics/<name>.json, the values nested under the name so that names stay unique."""
    path = Path("metrics") / f"{name}.json"
    path.parent.mkdir(exist_ok=True)
    path.write_text(json.dumps({name: values}, indent=2) + "\n", encoding="utf-8")
