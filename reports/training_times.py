"""Training times of finished runs, from MLflow, since no file that DVC compares has times."""

from collections.abc import Mapping, Sequence
from itertools import pairwise
from pathlib import Path

from srmodels.engine.settings import TrainSettings
from srmodels.engine.tracking import mlflow_tracker  # noqa: F401 - sets MLflow's environment
from srmodels.errors import TrainingError
from srmodels.runs.store import EXPERIMENT, store_of

Values = Mapping[str, str]  # parameters of a run: "recipe.pretrain.training.steps" to "3000"
Points = Sequence[tuple[int, float]]  # of a metric: step and value, by step
_SECTIONS = {"pretrain": "pretrain", "gan": "adversarial"}  # of a recipe, by stage


class TrackedRuns:
    """The runs in a repository's MLflow store, or on the server in MLFLOW_TRACKING_URI."""

    def __init__(self, root: Path) -> None:
        import mlflow

        self.client = mlflow.MlflowClient(tracking_uri=store_of(root))

    def params(self) -> Sequence[tuple[str, Values]]:
        """Each run's id and parameters, newest first."""
        experiment = self.client.get_experiment_by_name(EXPERIMENT)
        if experiment is None:
            return []
        order = ["attributes.start_time DESC"]
        runs = self.client.search_runs([experiment.experiment_id], order_by=order)
        return [(run.info.run_id, run.data.params) for run in runs]

    def points(self, run: str, metric: str) -> Points:
        """A metric of a run; empty if the run has no such metric."""
        history = self.client.get_metric_history(run, metric)
        return sorted((point.step, point.value) for point in history)


def run_of(runs: TrackedRuns, recipe: str, *, metric: str, value: float) -> Values:
    """The parameters of the newest run of a recipe whose metric ended with `value`."""
    for run, values in runs.params():
        if values.get("model") != recipe:
            continue
        points = runs.points(run, metric)
        if points and abs(points[-1][1] - value) < 1e-6:
            return values
    raise TrainingError(
        f"MLflow: no run of {recipe} ended with the {metric} of the metrics file (got {value}). "
        f"Run `dvc exp run -S model={recipe}`."
    )


def _same_training(first: Values, second: Values, stage: str) -> bool:
    section = "recipe.pretrain." if stage == "pretrain" else "recipe."
    relevant = ("seed", "scale", "data.", "patches.", "recipe.generator.", section)
    return all(
        first.get(key) == second.get(key)
        for key in first.keys() | second.keys()
        if key.startswith(relevant)
    )


def cost(points: Points, batch_size: int) -> dict[str, float]:
    """Minutes and images per second, without validations; a point has the speed since the last."""
    counts = [after - before for before, after in pairwise([0, *(step for step, _ in points)])]
    images = batch_size * sum(counts)
    seconds = sum(
        batch_size * count / speed for count, (_, speed) in zip(counts, points, strict=True)
    )
    return {"minutes": round(seconds / 60, 2), "images_per_second": round(images / seconds, 1)}


def training_of(
    runs: TrackedRuns, parameters: Values, stage: str, steps: int
) -> dict[str, float] | None:
    """The `cost` of a stage in the newest run that trained it with these parameters, or None."""
    section = f"recipe.{_SECTIONS[stage]}.training"
    for run, values in runs.params():
        if not _same_training(values, parameters, stage):
            continue
        points = runs.points(run, f"{stage}/images_per_second")
        every = int(values.get(f"{section}.log_every", TrainSettings.log_every))
        if points and steps - points[-1][0] < every:
            return cost(points, int(values.get(f"{section}.batch_size", TrainSettings.batch_size)))
    return None
