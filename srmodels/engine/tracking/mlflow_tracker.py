"""MLflow gets a copy of every point; a server that is down never stops or slows a training.

One run per DVC experiment, reopened by every stage, found by a key. Points go through a buffer that
a thread empties; what cannot be sent is kept and tried again, and the curves on disk (the source of
truth) are replayed by the last stage where the server misses them.
"""

import hashlib
import json
import logging
import os
import threading
import time
from collections.abc import Mapping
from pathlib import Path
from types import TracebackType
from typing import Any, Self

import numpy as np
from filelock import FileLock
from numpy.typing import NDArray

os.environ.setdefault("MLFLOW_DISABLE_TELEMETRY", "true")  # read when mlflow is imported
os.environ.setdefault("MLFLOW_HTTP_REQUEST_MAX_RETRIES", "1")  # we keep and retry ourselves
os.environ.setdefault("MLFLOW_HTTP_REQUEST_TIMEOUT", "10")
os.environ.setdefault("MLFLOW_ENABLE_ARTIFACTS_PROGRESS_BAR", "false")  # a log has no use for one

import mlflow
from mlflow.entities import Metric, Param

from srmodels.engine.checkpoint.fingerprint import flat
from srmodels.engine.tracking.curves import read_points
from srmodels.runs.store import EXPERIMENT, SERVER, tracking_uri

__all__ = ["Tracker", "run_key"]

log = logging.getLogger(__name__)

_FLUSH_SECONDS = 2.0
_RETRY_SECONDS = 30.0
_BATCH = 500  # points a request; MLflow's limit is 1000


def run_key(values: Mapping[str, object], baseline: str) -> tuple[str, str]:
    """The name and the key of the MLflow run this process belongs to.

    Args:
        values: The parameters that matter to this run.
        baseline: The commit the work started from.
    """
    name = os.environ.get("DVC_EXP_NAME") or "repro"
    baseline = os.environ.get("DVC_EXP_BASELINE_REV") or baseline
    digest = hashlib.sha256(json.dumps(values, sort_keys=True, default=str).encode()).hexdigest()
    return name, f"{name}@{baseline[:10]}#{digest[:10]}"


class Tracker:
    """One stage's view of the experiment's MLflow run; use it in a `with` block.

    Args:
        stage: Prefix of every metric ("pretrain" makes "pretrain/pixel").
        root: The user's repository: `mlflow.db` and `mlartifacts` lie there unless
            MLFLOW_TRACKING_URI names a server.
        values: Parameters, logged once when the run is created.
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
        self._last_step: dict[str, int] = {}
        self._resumed = True  # the run may hold points of before
        self._points: list[Metric] = []
        self._pictures: list[tuple[str, NDArray[np.uint8], int]] = []
        self._lock = threading.Lock()
        self._sending = threading.Lock()
        self._stop = threading.Event()
        self._retry_at = 0.0
        self._warned = False
        self._thread = threading.Thread(target=self._work, name="tracking", daemon=True)

    def __enter__(self) -> Self:
        """Starts sending."""
        self._thread.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        """Sends what is left, one last try."""
        self._stop.set()
        self._thread.join()
        self._retry_at = 0.0
        self._send()
        if self._points or self._pictures:
            log.warning(
                "%s points and %s pictures did not reach MLflow at %s; the curves are in plots/, "
                "and the stage `evaluate` sends them when it next runs",
                len(self._points),
                len(self._pictures),
                self.uri,
            )

    def log(self, step: int, scalars: Mapping[str, float]) -> None:
        """Buffers one row of scalars under this stage's prefix."""
        now = int(time.time() * 1000)
        points = [Metric(f"{self.stage}/{n}", v, now, step) for n, v in scalars.items()]
        with self._lock:
            self._points += points

    def picture(self, name: str, image: NDArray[np.uint8], step: int) -> None:
        """Buffers a picture; the UI shows a slider over the steps of one name."""
        with self._lock:
            self._pictures.append((f"{self.stage}/{name}", image, step))

    def replay(self, curve: Path, stage: str) -> None:
        """Sends the points of another stage's curve on disk that the run does not have yet."""
        now = int(time.time() * 1000)
        points = [Metric(f"{stage}/{n}", v, now, step) for step, n, v in read_points(curve)]
        with self._lock:
            self._points += points

    def _work(self) -> None:
        while not self._stop.wait(_FLUSH_SECONDS):
            if time.monotonic() >= self._retry_at:
                self._send()

    def _send(self) -> None:
        with self._sending:
            try:
                if not self.run_id:
                    self._open()
                self._send_points()
                self._send_pictures()
                self._warned = False
            except Exception as error:  # noqa: BLE001 - a tracker's trouble is not the training's
                self._retry_at = time.monotonic() + _RETRY_SECONDS
                # what was being sent may have arrived, and only the answer was lost: ask again
                self._last_step, self._resumed = {}, True
                if not self._warned:
                    reason = str(error).splitlines()[0][:200] if str(error) else repr(error)
                    log.warning(
                        "MLflow at %s: %s; points are kept and sent later", self.uri, reason
                    )
                self._warned = True

    def _open(self) -> None:
        """Finds or creates the experiment and the run; several processes may do so at once."""
        state = self.root / ".resume"
        state.mkdir(exist_ok=True)
        with FileLock(state / "mlflow.lock"):
            self.client = mlflow.MlflowClient(tracking_uri=self.uri)
            experiment = self.client.get_experiment_by_name(EXPERIMENT)
            place = None if os.environ.get(SERVER) else self.root / "mlartifacts"
            number = (
                experiment.experiment_id
                if experiment
                else self.client.create_experiment(
                    EXPERIMENT, artifact_location=place.as_uri() if place else None
                )
            )
            found = self.client.search_runs([number], f"tags.`srmodels.key` = '{self.key}'")
            self._resumed = bool(found)
            run = found[0] if found else self._created(number)
            run_id = run.info.run_id
            if not run.data.params:  # the server may have gone away after it made the run
                flattened = flat(self.values).items()
                params = [Param(key, str(value)[:500]) for key, value in flattened]
                self.client.log_batch(run_id, params=params)
        self.run_id = run_id
        self.client.set_tag(run_id, f"stage.{self.stage}", "1")

    def _created(self, experiment: str) -> Any:  # noqa: ANN401 - MLflow is not typed for mypy here
        return self.client.create_run(experiment, run_name=self.name, tags=self.tags)

    def _new(self, point: Metric) -> bool:
        """Whether the run lacks this point: steps of a metric only ever grow."""
        if point.key not in self._last_step:
            past = self.client.get_metric_history(self.run_id, point.key) if self._resumed else []
            self._last_step[point.key] = max((each.step for each in past), default=-1)
        return bool(point.step > self._last_step[point.key])

    def _send_points(self) -> None:
        while True:
            with self._lock:
                batch = self._points[:_BATCH]
            if not batch:
                return
            new = [point for point in batch if self._new(point)]
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
        """Marks the run as finished, when it could be opened."""
        self._send()
        if self.run_id:
            try:
                self.client.set_terminated(self.run_id, "FINISHED")
            except Exception as error:  # noqa: BLE001 - a tracker's trouble is not the training's
                log.warning("MLflow at %s: the run stays marked as running (%s)", self.uri, error)
