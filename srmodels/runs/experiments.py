"""From a DVC experiment to its MLflow run: by its name, or by the weights its dvc.lock names."""

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
    """A run of MLflow's.

    Attributes:
        id: MLflow's.
        name: Of the DVC experiment that made it, or "repro".
        experiment: The id of MLflow's own kind of experiment, which holds all runs.
        model: The recipe.
        status: RUNNING, FINISHED, FAILED or KILLED.
    """

    id: str
    name: str
    experiment: str
    model: str
    status: str


def weights_of(lock: str) -> str:
    """The MD5 of the generator's weights that a dvc.lock names; "" where it names none."""
    stages = (YAML(typ="safe").load(lock) or {}).get("stages", {})
    outs = stages.get("gan", {}).get("outs", [])
    return next((out["md5"] for out in outs if out["path"] == _WEIGHTS), "")


def _search(client: Any, condition: str, count: int) -> list[Run]:  # noqa: ANN401 - MLflow's
    experiment = client.get_experiment_by_name(EXPERIMENT)
    if experiment is None:
        return []
    found = client.search_runs(
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
        )
        for run in found
    ]


def newest(count: int, *, root: Path) -> list[Run]:
    """The newest runs, at most `count`.

    Raises:
        TrainingError: There is no store, or the server cannot be reached.
    """
    with connected(root) as client:
        return _search(client, "", count)


def run_of(name: str, lock: str, *, root: Path) -> Run:
    """The newest run of an experiment.

    What DVC takes from its cache does not run. Such an experiment has the run that made its
    weights, and that run has another name.

    Args:
        name: The experiment's, or any revision's.
        lock: Its dvc.lock.
        root: The repository.

    Raises:
        TrainingError: There is none; no store; or the server cannot be reached.
    """
    quoted = name.replace("'", "")
    digest = weights_of(lock)
    with connected(root) as client:
        found = _search(client, f"tags.`dvc.exp_name` = '{quoted}'", 1)
        if not found and digest:
            found = _search(client, f"tags.`{WEIGHTS_TAG}` = '{digest}'", 1)
    if not found:
        raise TrainingError(
            f"{name}: MLflow has no run of it (found neither its name nor the MD5 of its "
            f"weights, {digest or 'unknown'}); `dvc repro --single-item --force evaluate` makes one"
        )
    return found[0]
