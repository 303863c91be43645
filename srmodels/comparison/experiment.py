"""What one experiment has to show: its scores, per picture and on average, and what it was."""

import io
import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import pandas as pd

from srmodels.comparison.sources import METRICS, PER_IMAGE, Source
from srmodels.config import one_of
from srmodels.errors import ProtocolError
from srmodels.evaluation.interval import BOUNDS
from srmodels.evaluation.scores import BASELINE, SAMPLES
from srmodels.evaluation.table import metrics_in, sets_of

__all__ = ["GENERATOR", "Experiment", "read_experiment"]

GENERATOR = "generator"
_KEYS = ["set", "image", "model"]
# dvc.lock says what was run; params.yaml may have changed since.
_RUN = re.compile(rb"models\.([^.\s]+)\.([^.\s]+)\.generator:")


@dataclass(frozen=True, kw_only=True)
class Experiment:
    """One experiment in a comparison.

    Attributes:
        source: Its files.
        recipe: Name of its recipe; "" where the files do not say.
        preset: Likewise.
        row: Which of its models is compared: "generator", "pretrained", ...
        metrics: The metrics file; empty where only a table per image was given.
        images: A row per set, image and model; no row where only a metrics file was given.
    """

    source: Source
    recipe: str
    preset: str
    row: str
    metrics: Mapping[str, Any]
    images: pd.DataFrame

    @property
    def name(self) -> str:
        """What the user calls it."""
        return self.source.name

    @property
    def label(self) -> str:
        """Its name, with the recipe where that is known and the row where it is no generator."""
        said = [self.recipe, *([self.row] if self.row != GENERATOR else [])]
        return " ".join([self.name, *(f"({each})" for each in said if each)])

    def sets(self) -> list[str]:
        """The test sets it was scored on."""
        return list(dict.fromkeys([*sets_of(self.metrics), *map(str, self.images["set"])]))

    def scores(self, name: str, row: str) -> pd.DataFrame:
        """The scores of a set's images, which are the index; a score it lacks has no column."""
        chosen = self.images[(self.images["set"] == name) & (self.images["model"] == row)]
        return chosen.set_index("image").drop(columns=["set", "model"]).dropna(axis=1, how="all")

    def means(self, name: str, row: str) -> dict[str, float]:
        """The mean scores on a set; empty where it has no such row."""
        table = self.scores(name, row)
        if len(table):
            return {str(score): float(value) for score, value in table.mean().items()}
        found = sets_of(self.metrics).get(name, {}).get(row, {})
        return {score: mean for score, mean in found.items() if not score.endswith(BOUNDS)}


def _images(text: bytes, where: str) -> pd.DataFrame:
    """The table per image, checked: the keys once each, all else numbers."""
    wanted = f"{where}: is no table per image"
    try:
        table = pd.read_csv(io.BytesIO(text), dtype=dict.fromkeys(_KEYS, str))
    except (ValueError, UnicodeDecodeError) as error:
        raise ProtocolError(f"{wanted} ({str(error).strip()}); {PER_IMAGE} was expected") from None
    missing = [key for key in _KEYS if key not in table]
    words = [str(name) for name in table.columns.drop(_KEYS, errors="ignore")]
    words = [name for name in words if not pd.api.types.is_numeric_dtype(table[name])]
    if missing or words:
        found = f"no column {missing[0]}" if missing else f"words in the column {words[0]}"
        raise ProtocolError(f"{wanted} (found {found}); {PER_IMAGE} was expected")
    twice = table[table.duplicated(_KEYS)]
    if len(twice):
        key = ", ".join(twice.iloc[0][_KEYS])
        raise ProtocolError(f"{where}: lists a picture twice (found {key}); once is right")
    return table


def _row(entry_rows: list[str], model: str | None, name: str) -> str:
    """The row to compare: the one asked for, else the last model's own SR."""
    if model is not None:
        if model not in entry_rows:
            raise ProtocolError(one_of(f"{name}: model", model, entry_rows))
        return model
    own = [row for row in entry_rows if row != SAMPLES]
    return GENERATOR if GENERATOR in own else own[-1]


def read_experiment(source: Source, *, model: str | None = None) -> Experiment:
    """Reads what an experiment has to show.

    Args:
        source: Its files.
        model: The row to compare; None is the final generator's.

    Raises:
        ProtocolError: It has no scores, not of this model, or its files are not what they should
            be.
    """
    name = source.name
    text, table = source.read(METRICS), source.read(PER_IMAGE)
    if text is None and table is None:
        raise ProtocolError(f"{name}: has no {METRICS}; a revision after `dvc repro` has one")
    metrics = {} if text is None else metrics_in(text, _where(name, METRICS))
    images = pd.DataFrame(columns=_KEYS)
    if table is not None:
        images = _images(table, _where(name, PER_IMAGE))
    rows = [row for models in sets_of(metrics).values() for row in models]
    rows = list(dict.fromkeys([*rows, *map(str, images["model"])]))
    if not rows:
        raise ProtocolError(f"{name}: lists no picture; at least {BASELINE} is scored on one")
    run = _RUN.search(source.read("dvc.lock") or b"")
    recipe, preset = (each.decode() for each in run.groups()) if run else ("", "")
    return Experiment(
        source=source,
        recipe=recipe,
        preset=preset,
        row=_row(rows, model, name),
        metrics=metrics,
        images=images,
    )


def _where(name: str, path: str) -> str:
    return name if name.endswith((".json", ".csv")) else f"{name}: {path}"
