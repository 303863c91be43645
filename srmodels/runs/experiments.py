"""Finds the MLflow run of a DVC experiment by its name or by the weights in its dvc.lock."""

from dataclasses import dataclass
from pathlib import Path
from typing import Any

from ruamel.yaml import YAML

from srmodels.errors import TrainingError
from srmodels.runs.connection import connected
from srmodels.runs.store import EXPERIMENT, WEIGHTS_TAG

__all__ = ["Run", "newest", "run_of", "weights_of"]

_WEIGHTS = "weights/generator.safetensors"


@dataclass(frozen=True, kw_only=True)
class Run:
    """An MLflow run.

    Attributes:
        id: MLflow's id.
        name: The DVC experiment that made it, or "repro".
        experiment: The id of the MLflow experiment, which holds all runs.
        model: The recipe.
        status: RUNNING, FINISHED, FAILED or KILLED.
        weights: The MD5 of its generator; "" before the evaluation.
    """

    id: str
    name: str
    experiment: str
    model: str
    status: str
    weights: str


def weights_of(lock: str) -> str:
    """The MD5 of the generator's weights in the text of a dvc.lock; "" if there is none."""
    stages = (YAML(typ="safe").load(lock) or {}).get("stages", {})
    outs = stages.get("gan", {}).get("outs", [])
    return next((out["md5"] for out in outs if out["path"] == _WEIGHTS), "")


def _search(client: Any, condition: str, count: int) -> list[Run]:  # noqa: ANN401 - MLflow's
    experiment = client.get_experiment_by_name(EXPERIMENT)
    if experiment is None:
        return []
    runs = client.search_runs(
        [experiment.experiment_id],
        condition,
        max_results=count,
        order_by=["attributes.start_time DESC"],
    )
    return [
        Run(
            id=run.info.run_id,
            name=run.info.run_name,
            experiment=run.info.experiment_id,
            model=run.data.tags.get("model", "-"),
            status=run.info.status,
            weights=run.data.tags.get(WEIGHTS_TAG, ""),
        )
        for run in runs
    ]


def newest(count: int, *, root: Path) -> list[Run]:
    """The newest `count` runs, or fewer.

    Raises:
        TrainingError: There is no store, or the server cannot be reached.
    """
    with connected(root) as client:
        return _search(client, "", count)


def run_of(name: str, lock: str, *, root: Path) -> Run:
    """The newest run of an experiment, or the run that trained its weights.

    An experiment that DVC takes from its cache has no run of its own. A run whose generator has
    other weights than dvc.lock is never returned.

    Args:
        name: The experiment or git revision.
        lock: The text of its dvc.lock.
        root: The repository.

    Raises:
        TrainingError: There is no run or no store, or the server cannot be reached.
    """
    digest = weights_of(lock)
    quoted = name.replace("'", "")
    named, of_weights = f"tags.`dvc.exp_name` = '{quoted}'", f"tags.`{WEIGHTS_TAG}` = '{digest}'"
    conditions = [f"{named} AND {of_weights}", of_weights] if digest else []
    with connected(root) as client:
        for condition in [*conditions, named]:
            # a run of the name with other weights is of an earlier experiment
            for run in _search(client, condition, 1):
                if run.weights in ("", digest) or not digest:
                    return run
    raise TrainingError(
        f"{name}: MLflow has no run of it (got neither its name nor the MD5 of its weights, "
        f"{digest or 'unknown'}). Run `dvc repro --single-item --force evaluate`."
    )
