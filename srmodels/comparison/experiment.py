"""Scores of one experiment, per image and on average, with its recipe and preset."""

import io
import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pandas as pd

from srmodels.comparison.lock import digest_of_output, photographs_of, recipe_of
from srmodels.comparison.sources import METRICS, PER_IMAGE, ExperimentFiles
from srmodels.config import one_of
from srmodels.errors import ProtocolError
from srmodels.evaluation.means import BOUNDS
from srmodels.evaluation.scores import BASELINE, SAMPLES
from srmodels.evaluation.table import metrics_in, sets_of

GENERATOR = "generator"
OWN_SET = "test"  # the set of the experiment's own test photographs
_KEYS = ["set", "image", "model"]


@dataclass(frozen=True, kw_only=True)
class Experiment:
    """One experiment in a comparison."""

    files: ExperimentFiles
    recipe: str  # "" if unknown
    preset: str  # "" if unknown
    row: str  # the model that is compared: "generator", "pretrained",
    metrics: Mapping[str, Any]  # the metrics file; empty if only a table per image was given
    images: pd.DataFrame  # a row per set, image and model; empty if only a metrics file was given
    lock: str = ""  # the text of dvc.lock

    @property
    def name(self) -> str:
        """The name that the user gave."""
        return self.files.name

    @property
    def label(self) -> str:
        """The name, with the recipe if known, and the row unless that is the generator."""
        details = [self.recipe, "" if self.row == GENERATOR else self.row]
        return " ".join([self.name, *(f"({detail})" for detail in details if detail)])

    @property
    def weights(self) -> str:
        """The MD5 of the generator's weights; "" if unknown."""
        return digest_of_output(self.lock, f"weights/{GENERATOR}.safetensors")

    @property
    def date(self) -> str:
        """The day and time of the result, without seconds and time zone; "-" if unknown."""
        return f"{self.files.date:%Y-%m-%d %H:%M}" if self.files.date else "-"

    def set_label(self, name: str) -> str:
        """A test set and its number of images; the own photographs instead of `test`."""
        count = len(self.scores(name, BASELINE))
        own = photographs_of(self.lock) if name == OWN_SET else ""
        return f"{own or name} ({count})" if count else own or name

    def sets(self) -> list[str]:
        """The test sets that were scored."""
        return list(dict.fromkeys([*sets_of(self.metrics), *map(str, self.images["set"])]))

    def scores(self, name: str, row: str) -> pd.DataFrame:
        """The scores of a test set: a line per image (the index), a column per score."""
        chosen = self.images[(self.images["set"] == name) & (self.images["model"] == row)]
        return chosen.set_index("image").drop(columns=["set", "model"]).dropna(axis=1, how="all")

    def means(self, name: str, row: str) -> dict[str, float]:
        """The mean scores on a test set; empty if the set or the row was not scored."""
        table = self.scores(name, row)
        if len(table):
            return {str(score): float(value) for score, value in table.mean().items()}
        means = sets_of(self.metrics).get(name, {}).get(row, {})
        return {score: mean for score, mean in means.items() if not score.endswith(BOUNDS)}


def _read_images(text: bytes, where: str) -> pd.DataFrame:
    """The table per image, checked: unique keys, and numbers in all other columns."""
    try:
        table = pd.read_csv(io.BytesIO(text), dtype=dict.fromkeys(_KEYS, str))
        missing = [f"no column {key}" for key in _KEYS if key not in table]
        columns = table.columns.drop(_KEYS, errors="ignore")
        words = columns.difference(table.select_dtypes("number").columns, sort=False)
        problems = [*missing, *(f"words in the column {name}" for name in words)]
    except ValueError as error:
        problems = [str(error).strip()]
    if problems:
        raise ProtocolError(
            f"{where}: not a table per image (got {problems[0]}). Use a file like {PER_IMAGE}."
        )
    twice = table[table.duplicated(_KEYS)]
    if len(twice):
        key = ", ".join(twice.iloc[0][_KEYS])
        raise ProtocolError(f"{where}: two lines for one image (got {key}). Remove one.")
    return table


def _select_row(rows: list[str], model: str | None, name: str) -> str:
    """The row to compare: `model`, or the generator, or the last model that is not sampled."""
    if model is None:
        return GENERATOR if GENERATOR in rows else [row for row in rows if row != SAMPLES][-1]
    if model not in rows:
        raise ProtocolError(one_of(f"{name}: model", model, rows))
    return model


def read_experiment(files: ExperimentFiles, *, model: str | None = None) -> Experiment:
    """Reads an experiment's scores, to compare the row `model`; None is the final generator."""
    name = files.name
    single = name.endswith((".json", ".csv"))
    metrics_file, images_file = (
        name if single else f"{name}: {path}" for path in (METRICS, PER_IMAGE)
    )
    text, table = files.read(METRICS), files.read(PER_IMAGE)
    if text is None and table is None:
        raise ProtocolError(f"{name}: has no {METRICS}. Run `dvc repro`, or name another revision.")
    metrics = {} if text is None else metrics_in(text, metrics_file)
    images = pd.DataFrame(columns=_KEYS)
    if table is not None:
        images = _read_images(table, images_file)
    models = [row for models in sets_of(metrics).values() for row in models]
    rows = list(dict.fromkeys([*models, *map(str, images["model"])]))
    if not rows:
        raise ProtocolError(f"{name}: has no scores. Evaluate at least {BASELINE} on an image.")
    lock = files.text("dvc.lock")
    recipe, preset = recipe_of(lock)
    return Experiment(
        files=files,
        recipe=recipe,
        preset=preset,
        lock=lock,
        row=_select_row(rows, model, name),
        metrics=metrics,
        images=images,
    )


def cost_of(
    experiment: Experiment, *, root: Path, minutes: Mapping[str, float] | None = None
) -> dict[str, str]:
    """Parameters, minutes and images_per_second, as text.

    `minutes` are those of MLflow by the MD5 of weights; metrics/recipes has those of saved runs.
    """
    count = experiment.metrics.get("parameters")
    path = root / "metrics" / "recipes" / f"{experiment.recipe}.json"
    recipe = json.loads(path.read_text(encoding="utf-8")) if path.is_file() else {}
    expected = recipe.get("scores", {}).get(GENERATOR, {}).get("psnr_y")
    actual = sets_of(experiment.metrics).get(OWN_SET, {}).get(GENERATOR, {}).get("psnr_y")
    same = actual is not None and (expected, recipe.get("preset")) == (actual, experiment.preset)
    phases = [phase for phase in recipe.get("training", {}).values() if phase] if same else []
    times = {
        key: " + ".join(f"{phase[key]:.{digits}f}" for phase in phases) or "-"
        for key, digits in (("minutes", 1), ("images_per_second", 0))
    }
    tracked = (minutes or {}).get(experiment.weights)
    if tracked is not None:
        times["minutes"] = f"{tracked:.1f}"
    return {"parameters": f"{count:,}" if isinstance(count, int) else "-", **times}
