"""Copies every point to MLflow; a server that is down never stops or slows a training.

All stages of a DVC experiment share one run, found by a key. A thread sends buffered points and
tries again after an error; the stage `evaluate` replays points that the server lacks.
"""

import hashlib
import json
import logging
import os
import threading
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Self

import numpy as np
from filelock import FileLock
from numpy.typing import NDArray

os.environ.setdefault("MLFLOW_DISABLE_TELEMETRY", "true")  # read when mlflow is imported
os.environ.setdefault("MLFLOW_HTTP_REQUEST_MAX_RETRIES", "1")  # the tracker retries
os.environ.setdefault("MLFLOW_HTTP_REQUEST_TIMEOUT", "10")
os.environ.setdefault("MLFLOW_ENABLE_ARTIFACTS_PROGRESS_BAR", "false")

import mlflow
from mlflow.entities import Metric, Param

from srmodels.engine.checkpoint.fingerprint import flatten
from srmodels.engine.tracking.curves import read_points
from srmodels.runs.store import EXPERIMENT, SERVER, tracking_uri

__all__ = ["Tracker", "run_key", "short_reason"]

log = logging.getLogger(__name__)

_FLUSH_SECONDS = 2.0
_RETRY_SECONDS = 30.0
_BATCH = 500  # points per request; MLflow's limit is 1000


def short_reason(error: Exception) -> str:
    """The first line of an error, for a log line."""
    return str(error).partition("\n")[0][:200] or repr(error)


def run_key(values: Mapping[str, object], baseline: str) -> tuple[str, str]:
    """The name and the key of this process's MLflow run.

    Args:
        values: The parameters of the run.
        baseline: The commit the work started from.
    """
    name = os.environ.get("DVC_EXP_NAME") or "repro"
    baseline = os.environ.get("DVC_EXP_BASELINE_REV") or baseline
    digest = hashlib.sha256(json.dumps(values, sort_keys=True, default=str).encode()).hexdigest()
    return name, f"{name}@{baseline[:10]}#{digest[:10]}"


class Tracker:
    """Sends one stage's scalars and pictures to the experiment's run; a context manager.

    Args:
        stage: Prefix of every metric ("pretrain" makes "pretrain/pixel").
        root: The repository, with `mlflow.db` and `mlartifacts` unless MLFLOW_TRACKING_URI names a
            server.
        values: Parameters, logged once per run.
        baseline: The commit the work started from.
        tags: Further tags of the run.
    """

    def __init__(
        self,
        stage: str,
        *,
        root: Path,
        values: Mapping[str, object],
        baseline: str,
        tags: Mapping[str, str],
    ) -> None:
        self.stage, self.root, self.values = stage, root.resolve(), values
        self.name, self.key = run_key(values, baseline)
        # a queued experiment begins with the commit it was queued at, not with HEAD
        baseline = os.environ.get("DVC_EXP_BASELINE_REV") or baseline
        self.tags = {"srmodels.key": self.key, "dvc.baseline_rev": baseline, **tags}
        if "DVC_EXP_NAME" in os.environ:
            self.tags["dvc.exp_name"] = self.name
        self.tags["mlflow.source.git.commit"] = baseline
        self.uri = tracking_uri(self.root)
        self.client: Any = None
        self.run_id = ""
        self._last_step: dict[str, int] = {}  # sent, by metric
        self._resumed = True  # whether the run may hold earlier points
        self._points: list[Metric] = []
        self._pictures: list[tuple[str, NDArray[np.uint8], int]] = []
        self._lock = threading.Lock()
        self._sending = threading.Lock()
        self._stop = threading.Event()
        self._retry_at = 0.0
        self._warned = False
        self._thread = threading.Thread(target=self._send_in_loop, name="tracking", daemon=True)

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._stop.set()
        self._thread.join()
        self._send()
        if self._points or self._pictures:
            log.warning(
                "%s points and %s pictures did not reach MLflow at %s; the curves are in plots/, "
                "and the stage `evaluate` sends them when it next runs",
                len(self._points),
                len(self._pictures),
                self.uri,
            )

    def _add(self, stage: str, points: list[tuple[int, str, float]]) -> None:
        now = int(time.time() * 1000)
        metrics = [Metric(f"{stage}/{name}", value, now, step) for step, name, value in points]
        with self._lock:
            self._points += metrics

    def log(self, step: int, scalars: Mapping[str, float]) -> None:
        """Buffers scalars under this stage's prefix."""
        self._add(self.stage, [(step, name, value) for name, value in scalars.items()])

    def picture(self, name: str, image: NDArray[np.uint8], step: int) -> None:
        """Buffers a picture; MLflow shows a slider over the steps of one name."""
        with self._lock:
            self._pictures.append((f"{self.stage}/{name}", image, step))

    def replay(self, curve: Path, stage: str) -> None:
        """Buffers the points of another stage's curve; those that the run has are not sent."""
        self._add(stage, read_points(curve))

    def _send_in_loop(self) -> None:
        while not self._stop.wait(_FLUSH_SECONDS):
            if time.monotonic() >= self._retry_at:
                self._send()

    def _send(self) -> None:
        with self._sending:
            try:
                if not self.run_id:
                    self._open_run()
                self._send_points()
                self._send_pictures()
                self._warned = False
            except Exception as error:  # noqa: BLE001 - MLflow must not stop the training
                self._retry_at = time.monotonic() + _RETRY_SECONDS
                # the points may have arrived although the answer was lost: read the history again
                self._last_step, self._resumed = {}, True
                if not self._warned:
                    reason = short_reason(error)
                    log.warning(
                        "MLflow at %s: %s; points are kept and sent later", self.uri, reason
                    )
                self._warned = True

    def _open_run(self) -> None:
        """Finds or creates the experiment and the run; several processes may do so at once."""
        locks = self.root / ".resume"
        locks.mkdir(exist_ok=True)
        with FileLock(locks / "mlflow.lock"):
            self.client = mlflow.MlflowClient(tracking_uri=self.uri)
            experiment = self.client.get_experiment_by_name(EXPERIMENT)
            if experiment:
                number = experiment.experiment_id
            else:
                local = None if os.environ.get(SERVER) else (self.root / "mlartifacts").as_uri()
                number = self.client.create_experiment(EXPERIMENT, artifact_location=local)
            runs = self.client.search_runs([number], f"tags.`srmodels.key` = '{self.key}'")
            self._resumed = bool(runs)
            if not runs:
                runs = [self.client.create_run(number, run_name=self.name, tags=self.tags)]
            run_id = runs[0].info.run_id
            if not runs[0].data.params:  # the server may have failed after it made the run
                flat = flatten(self.values).items()
                params = [Param(key, str(value)[:500]) for key, value in flat]
                self.client.log_batch(run_id, params=params)
        self.run_id = run_id
        self.client.set_tag(run_id, f"stage.{self.stage}", "1")

    def _is_new(self, point: Metric) -> bool:
        """Whether the run lacks this point: a metric's steps only grow."""
        if point.key not in self._last_step:
            past = self.client.get_metric_history(self.run_id, point.key) if self._resumed else []
            self._last_step[point.key] = max((metric.step for metric in past), default=-1)
        return bool(point.step > self._last_step[point.key])

    def _send_points(self) -> None:
        while True:
            with self._lock:
                batch = self._points[:_BATCH]
            if not batch:
                return
            new = [point for point in batch if self._is_new(point)]
            if new:
                self.client.log_batch(self.run_id, metrics=new)
            for point in new:
                self._last_step[point.key] = max(self._last_step[point.key], point.step)
            with self._lock:
                del self._points[: len(batch)]

    def _send_pictures(self) -> None:
        while self._pictures:
            name, image, step = self._pictures[0]
            self.client.log_image(self.run_id, image, key=name, step=step)
            with self._lock:
                del self._pictures[0]

    def finish(self) -> None:
        """Sends what is buffered and marks the run as finished."""
        self._send()
        if self.run_id:
            try:
                self.client.set_terminated(self.run_id, "FINISHED")
            except Exception as error:  # noqa: BLE001 - MLflow must not fail the stage
                log.warning("MLflow at %s: the run stays marked as running (%s)", self.uri, error)
