"""What MLflow knows of finished trainings: how long they took, which no file of DVC's says.

Files that DVC compares hold no times, so that a second run writes the same bytes.
"""

from collections.abc import Mapping, Sequence
from itertools import pairwise
from pathlib import Path
from typing import Protocol

from srmodels.engine.settings import TrainSettings
from srmodels.engine.tracking import mlflow_tracker  # noqa: F401 - sets MLflow's environment
from srmodels.errors import TrainingError
from srmodels.runs.store import EXPERIMENT, store_of

__all__ = ["Points", "Runs", "TrackedRuns", "Values", "cost", "run_of", "training_of"]

Values = Mapping[str, str]  # parameters of a run: "recipe.pretrain.training.steps" to "3000"
Points = Sequence[tuple[int, float]]  # of a metric: step and value, by step
_SECTIONS = {"pretrain": "pretrain", "gan": "adversarial"}  # of a recipe, by stage


class Runs(Protocol):
    """Where runs are found; `TrackedRuns` is one."""

    def params(self) -> Sequence[tuple[str, Values]]:
        """Each run's id and its parameters, the newest first."""
        ...

    def points(self, run: str, metric: str) -> Points:
        """A metric of a run; nothing where the run has none of this name."""
        ...


class TrackedRuns:
    """The runs in a repository's own MLflow store, or on the server in MLFLOW_TRACKING_URI.

    Args:
        root: The repository.

    Raises:
        TrainingError: It has no store.
    """

    def __init__(self, root: Path) -> None:
        import mlflow

        self.client = mlflow.MlflowClient(tracking_uri=store_of(root))

    def params(self) -> Sequence[tuple[str, Values]]:
        """Each run's id and its parameters, the newest first."""
        experiment = self.client.get_experiment_by_name(EXPERIMENT)
        if experiment is None:
            return []
        order = ["attributes.start_time DESC"]
        found = self.client.search_runs([experiment.experiment_id], order_by=order)
        return [(run.info.run_id, run.data.params) for run in found]

    def points(self, run: str, metric: str) -> Points:
        """A metric of a run; nothing where the run has none of this name."""
        history = self.client.get_metric_history(run, metric)
        return sorted((each.step, each.value) for each in history)


def run_of(runs: Runs, recipe: str, *, metric: str, value: float) -> Values:
    """The parameters of the newest run of a recipe that ended with a certain score.

    Raises:
        TrainingError: There is none.
    """
    for run, values in runs.params():
        if values.get("model") != recipe:
            continue
        points = runs.points(run, metric)
        if points and abs(points[-1][1] - value) < 1e-6:
            return values
    raise TrainingError(
        f"MLflow: no run of {recipe} ended with the {metric} of the metrics file (found {value}); "
        f"first: dvc exp run -S model={recipe}"
    )


def _alike(first: Values, second: Values, stage: str) -> bool:
    """Whether two runs have all parameters in common that a stage's training rests on."""
    section = "recipe.pretrain." if stage == "pretrain" else "recipe."
    shared = ("seed", "scale", "data.", "patches.", "recipe.generator.", section)
    return all(
        first.get(key) == second.get(key)
        for key in first.keys() | second.keys()
        if key.startswith(shared)
    )


def cost(points: Points, batch_size: int) -> dict[str, float]:
    """How long a training was, validations left out.

    Args:
        points: images_per_second by step, each the mean since the point before.
        batch_size: Images a step.

    Returns:
        minutes, and images_per_second over all of these.
    """
    counts = [after - before for before, after in pairwise([0, *(step for step, _ in points)])]
    images = batch_size * sum(counts)
    seconds = sum(
        batch_size * count / speed for count, (_, speed) in zip(counts, points, strict=True)
    )
    return {"minutes": round(seconds / 60, 2), "images_per_second": round(images / seconds, 1)}


def training_of(runs: Runs, wanted: Values, stage: str, steps: int) -> dict[str, float] | None:
    """What a stage cost in the newest run that trained it to its end.

    Args:
        runs: Where to look.
        wanted: The parameters of the run the question is about. Where DVC took the stage from its
            cache, that run has no times, but another that trained the same has.
        stage: "pretrain" or "gan".
        steps: How many steps it took.

    Returns:
        As `cost`; None if no run trained it.
    """
    section = f"recipe.{_SECTIONS[stage]}.training"
    for run, values in runs.params():
        if not _alike(values, wanted, stage):
            continue
        points = runs.points(run, f"{stage}/images_per_second")
        every = int(values.get(f"{section}.log_every", TrainSettings.log_every))
        if points and steps - points[-1][0] < every:
            return cost(points, int(values.get(f"{section}.batch_size", TrainSettings.batch_size)))
    return None
