"""Times and machines of finished trainings, from MLflow: no file that DVC compares has them."""

from collections.abc import Mapping, Sequence
from functools import cache
from itertools import pairwise
from pathlib import Path
from tempfile import TemporaryDirectory

from ruamel.yaml import YAML

from srmodels.config import flat
from srmodels.errors import TrainingError
from srmodels.runs.connection import connected, prepare_mlflow
from srmodels.runs.store import EXPERIMENT, WEIGHTS_TAG, machine_tag, store_of

__all__ = ["TrackedRuns", "cost", "machine_of", "minutes_by_weights", "run_of", "training_of"]

Values = Mapping[str, str]  # settings of a run: "recipe.pretrain.training.steps" to "3000"
Points = Sequence[tuple[int, float]]  # of a metric: step and value, by step
_DEFAULTS = {"log_every": 50, "batch_size": 16}  # of TrainSettings, which this layer cannot import
_SECTIONS = {"pretrain": "pretrain", "gan": "adversarial"}  # of a recipe, by stage


class TrackedRuns:
    """The runs in a repository's MLflow store, or on the server in MLFLOW_TRACKING_URI."""

    def __init__(self, root: Path) -> None:
        uri = store_of(root)
        prepare_mlflow()
        import mlflow

        self.client = mlflow.MlflowClient(tracking_uri=uri)
        self._settings = cache(self._read_settings)

    def _read_settings(self, run: str) -> Values:
        with TemporaryDirectory() as folder:
            path = self.client.download_artifacts(run, "params.yaml", folder)
            settings = YAML(typ="safe").load(Path(path))
            return {key: str(value) for key, value in flat(settings)}

    def settings(self) -> Sequence[tuple[str, Values]]:
        """Each run's id and settings, newest first; runs without that file are left out."""
        experiment = self.client.get_experiment_by_name(EXPERIMENT)
        if experiment is None:
            return []
        order = ["attributes.start_time DESC"]
        runs = self.client.search_runs([experiment.experiment_id], order_by=order)
        ids = [run.info.run_id for run in runs]
        kept = [
            run
            for run in ids
            if any(f.path == "params.yaml" for f in self.client.list_artifacts(run))
        ]
        return [(run, self._settings(run)) for run in kept]

    def tags(self, run: str) -> Mapping[str, str]:
        """The tags of a run."""
        tags: Mapping[str, str] = self.client.get_run(run).data.tags
        return tags

    def latest(self, run: str) -> Mapping[str, float]:
        """The last value of every metric of a run."""
        values: Mapping[str, float] = self.client.get_run(run).data.metrics
        return values

    def points(self, run: str, metric: str) -> Points:
        """A metric of a run; empty if the run has no such metric."""
        history = self.client.get_metric_history(run, metric)
        return sorted((point.step, point.value) for point in history)


def run_of(runs: TrackedRuns, recipe: str, *, score: str, value: float) -> Values:
    """The settings of the newest run of a recipe with a score of any test set that is `value`.

    `score` ends the name of a metric, such as generator/psnr_y.
    """
    for run, values in runs.settings():
        if values.get("model") == recipe and any(
            name.endswith(score) and abs(last - value) < 1e-6
            for name, last in runs.latest(run).items()
        ):
            return values
    raise TrainingError(
        f"MLflow: no run of {recipe} ended with the {score} of the metrics file (got {value}). "
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


def _trained(
    runs: TrackedRuns, settings: Values, stage: str, steps: int
) -> tuple[str, dict[str, float]] | None:
    """The newest run that trained a stage with these settings, and the `cost`; or None."""
    section = f"recipe.{_SECTIONS[stage]}.training"
    for run, values in runs.settings():
        if not _same_training(values, settings, stage):
            continue
        points = runs.points(run, f"{stage}/images_per_second")
        every, batch_size = (
            int(values.get(f"{section}.{key}", default)) for key, default in _DEFAULTS.items()
        )
        if points and steps - points[-1][0] < every:
            return run, cost(points, batch_size)
    return None


def training_of(
    runs: TrackedRuns, settings: Values, stage: str, steps: int
) -> dict[str, float] | None:
    """The `cost` of a stage in the newest run that trained it with these settings, or None."""
    trained = _trained(runs, settings, stage, steps)
    return trained and trained[1]


def machine_of(runs: TrackedRuns, settings: Values, stage: str, steps: int) -> str | None:
    """The machine of the run whose times `training_of` gives; None if the run does not name it."""
    trained = _trained(runs, settings, stage, steps)
    return runs.tags(trained[0]).get(machine_tag(stage)) if trained else None


def minutes_by_weights(root: Path) -> dict[str, float]:
    """Minutes of pretraining and GAN by the MD5 of the generator's weights.

    Weights without a run that measured the whole training are left out; all are without a store.

    Raises:
        TrainingError: The server cannot be reached.
    """
    try:
        store_of(root)
    except TrainingError:
        return {}
    minutes: dict[str, float] = {}
    with connected(root):
        runs = TrackedRuns(root)
        for run, values in runs.settings():
            digest = runs.tags(run).get(WEIGHTS_TAG, "")
            steps = {
                stage: int(values.get(f"recipe.{section}.training.steps", 0))
                for stage, section in _SECTIONS.items()
            }
            times = [training_of(runs, values, stage, n) for stage, n in steps.items() if n]
            if digest and digest not in minutes and None not in times:
                minutes[digest] = sum(time["minutes"] for time in times if time)
    return minutes
