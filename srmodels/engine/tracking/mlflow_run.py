"""Finds or opens the MLflow run of one training, which all of its stages share.

A file in `.resume/runs` remembers the run, so that two people on one server never share one. The
file's name is a digest of everything that the training depends on: the experiment's name and
commit, settings, code, data and input weights.
"""

import getpass
import hashlib
import json
import math
import os
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import mlflow
from filelock import FileLock, Timeout
from mlflow.entities import Dataset, DatasetInput, InputTag, Param
from mlflow.exceptions import MlflowException

from srmodels.atomic import write_bytes
from srmodels.errors import TrainingError
from srmodels.runs.connection import is_missing
from srmodels.runs.store import EXPERIMENT, artifact_location, without_password

__all__ = [
    "DatasetFacts",
    "RunFacts",
    "RunFile",
    "create_run",
    "differ",
    "experiment_id",
    "find_run",
    "run_key",
]

Json = dict[str, Any]

_ROUNDING = 1e-5


@dataclass(frozen=True, kw_only=True)
class DatasetFacts:
    """What MLflow shows of a set of photographs."""

    name: str
    digest: str
    use: str  # "train" or "test"
    counts: Mapping[str, int]


@dataclass(frozen=True, kw_only=True)
class RunFacts:
    """What identifies and describes a run.

    Attributes:
        baseline: The commit the work started from.
        inputs: Everything that the results depend on.
        params: The few parameters that people compare.
        settings: All settings, stored as the artifact params.yaml.
        tags: Further tags of the run.
        datasets: The photographs.
    """

    baseline: str
    inputs: Mapping[str, object]
    params: Mapping[str, object] = field(default_factory=dict)
    settings: Mapping[str, object] = field(default_factory=dict)
    tags: Mapping[str, str] = field(default_factory=dict)
    datasets: Sequence[DatasetFacts] = ()


def run_key(facts: RunFacts) -> tuple[str, str]:
    """The name and the key of this process's run; equal inputs give equal keys."""
    name = os.environ.get("DVC_EXP_NAME") or "repro"
    # a queued experiment begins with the commit it was queued at, not with HEAD
    baseline = os.environ.get("DVC_EXP_BASELINE_REV") or facts.baseline
    text = json.dumps(facts.inputs, sort_keys=True, default=str)
    digest = hashlib.sha256(text.encode()).hexdigest()
    return name, f"{name}@{baseline[:10]}#{digest[:16]}"


class RunFile:
    """The file that remembers the run of a key; locked while a process writes to the run.

    Attributes:
        run: The run's id, or "".
        stages: Whose points the run has.
    """

    def __init__(self, folder: Path, key: str, uri: str) -> None:
        digest = hashlib.sha256(f"{key} {uri}".encode()).hexdigest()
        self.path, self.uri = folder / f"{digest[:20]}.json", uri
        self.run, self.stages = "", set[str]()
        # taken by the thread that sends, released by the main thread
        self._lock = FileLock(self.path.with_suffix(".lock"), timeout=0, thread_local=False)
        if content := _content(self.path):
            self.run, self.stages = content["run"], set(content["stages"])

    def save(self, *, running: bool) -> None:
        """Writes the file; `running`: until the next call a process writes to the run."""
        content = {"run": self.run, "uri": self.uri, "stages": sorted(self.stages)}
        write_bytes(self.path, json.dumps(content | {"running": running}).encode())

    def remember(self, stages: set[str]) -> None:
        """Notes whose points the run has."""
        if not stages <= self.stages:
            self.stages |= stages
            self.save(running=True)

    def lock(self) -> None:
        """Takes the lock, which a kill releases, unless another process has it."""
        with suppress(Timeout):
            self._lock.acquire()

    def close(self) -> None:
        """Notes that no process writes to the run, and releases the lock."""
        self.save(running=False)
        self._lock.release()

    def killed_runs(self) -> list[str]:
        """Runs of this server whose process was killed; each is told once."""
        killed = []
        for path in self.path.parent.glob("*.json"):
            content = _content(path)
            if not content or not content["running"] or content["uri"] != self.uri:
                continue
            try:
                with FileLock(path.with_suffix(".lock"), timeout=0):
                    write_bytes(path, json.dumps(content | {"running": False}).encode())
                    killed.append(content["run"])
            except Timeout:
                continue
        return killed


def _content(path: Path) -> Json:
    """The file's content; {} if it is missing, damaged or of another version."""
    try:
        content = json.loads(path.read_bytes())
    except (OSError, ValueError):
        return {}
    fields = {"run", "uri", "stages", "running"}
    return content if isinstance(content, dict) and fields <= content.keys() else {}


def experiment_id(client: Any, root: Path, uri: str) -> str:  # noqa: ANN401 - MLflow's
    """The id of the project's experiment, which is created if it is missing.

    Raises:
        TrainingError: Someone has deleted it.
    """
    experiment = client.get_experiment_by_name(EXPERIMENT)
    if experiment is None:
        location = artifact_location(root)
        return str(client.create_experiment(EXPERIMENT, artifact_location=location))
    if experiment.lifecycle_stage == "deleted":
        raise TrainingError(
            f"the experiment {EXPERIMENT} is deleted. Run: "
            f"MLFLOW_TRACKING_URI='{without_password(uri)}' mlflow experiments restore "
            f"--experiment-id {experiment.experiment_id}"
        )
    return str(experiment.experiment_id)


def find_run(client: Any, run: str) -> bool:  # noqa: ANN401 - MLflow's
    """Whether the server has the run, and nobody has deleted it."""
    try:
        return bool(run) and client.get_run(run).info.lifecycle_stage == "active"
    except MlflowException as error:
        if not is_missing(error):
            raise
        return False


def differ(new: float, old: float | None) -> bool:
    """Whether a run has another value than a CSV file, whose numbers have six digits."""
    if old is None or (math.isnan(new) and math.isnan(old)):
        return False
    return not math.isclose(new, old, rel_tol=_ROUNDING, abs_tol=1e-12)


def _user() -> str:
    try:
        return getpass.getuser()
    except (KeyError, OSError):  # a container's user without a name
        return str(os.getuid()) if hasattr(os, "getuid") else "unknown"


def create_run(client: mlflow.MlflowClient, experiment: str, facts: RunFacts) -> str:
    """Creates a run with parameters, tags, data sets and the settings as a file."""
    name, key = run_key(facts)
    baseline = os.environ.get("DVC_EXP_BASELINE_REV") or facts.baseline
    tags = {
        "srmodels.key": key,
        "dvc.baseline_rev": baseline,
        "mlflow.user": _user(),
        "mlflow.source.name": "dvc.yaml",
        "mlflow.source.type": "LOCAL",
        "mlflow.source.git.commit": baseline,
        **({"dvc.exp_name": name} if "DVC_EXP_NAME" in os.environ else {}),
        **facts.tags,
    }
    run: str = client.create_run(experiment, run_name=name, tags=tags).info.run_id
    params = [Param(key, str(value)[:500]) for key, value in facts.params.items()]
    client.log_batch(run, params=params)
    inputs = [
        DatasetInput(
            Dataset(
                data.name,
                data.digest[:36],
                source_type="local",
                source=data.name,
                profile=json.dumps(dict(data.counts)),
            ),
            [InputTag("mlflow.data.context", data.use)],
        )
        for data in facts.datasets
    ]
    if inputs:
        client.log_inputs(run, datasets=inputs)
    if facts.settings:
        client.log_dict(run, dict(facts.settings), "params.yaml")
    return run
