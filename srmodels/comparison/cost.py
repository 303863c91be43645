"""Parameters and training times of an experiment, from the files that hold them.

Only MLflow stores times; metrics/recipes keeps those of collected runs. They belong to an
experiment if recipe, preset and score are equal.
"""

import json
from pathlib import Path
from typing import NamedTuple

from srmodels.comparison.experiment import GENERATOR, Experiment
from srmodels.evaluation.table import sets_of


class Cost(NamedTuple):
    """Text for a table: "-" if unknown; training phases are joined by " + "."""

    parameters: str
    minutes: str
    images_per_second: str


def cost_of(experiment: Experiment, *, root: Path) -> Cost:
    """Reads the experiment's metrics file and `root`/metrics/recipes."""
    count = experiment.metrics.get("parameters")
    path = root / "metrics" / "recipes" / f"{experiment.recipe}.json"
    recipe = json.loads(path.read_text(encoding="utf-8")) if path.is_file() else {}
    expected = recipe.get("scores", {}).get(GENERATOR, {}).get("psnr_y")
    actual = sets_of(experiment.metrics).get("test", {}).get(GENERATOR, {}).get("psnr_y")
    same = actual is not None and (expected, recipe.get("preset")) == (actual, experiment.preset)
    phases = [phase for phase in recipe.get("training", {}).values() if phase] if same else []
    return Cost(
        parameters=f"{count:,}" if isinstance(count, int) else "-",
        minutes=" + ".join(f"{phase['minutes']:.1f}" for phase in phases) or "-",
        images_per_second=" + ".join(f"{phase['images_per_second']:.0f}" for phase in phases)
        or "-",
    )
