"""Copies every point to MLflow; a server that is down never stops or slows a training.

A thread sends buffered points and tries again after an error; the stage `evaluate` replays points
that the server lacks. The CSV files stay the source of truth: a training that begins anew, or whose
curves are not those of its run, gets a new run.
"""

import logging
import threading
import time
from collections.abc import Callable, Mapping
from pathlib import Path
from types import TracebackType
from typing import Any, Self

import mlflow
import numpy as np
import pandas as pd
from filelock import FileLock
from mlflow.entities import Metric
from mlflow.system_metrics.system_metrics_monitor import SystemMetricsMonitor
from numpy.typing import NDArray

from srmodels.engine.tracking.curves import Point, read_points
from srmodels.engine.tracking.mlflow_run import (
    RunFacts,
    RunFile,
    create_run,
    differ,
    experiment_id,
    find_run,
    run_key,
)
from srmodels.runs.connection import reason_of
from srmodels.runs.store import machine_tag, relocate, tracking_uri, without_password

__all__ = ["Tracker"]

log = logging.getLogger(__name__)

_FLUSH_SECONDS = 2.0
_RETRY_SECONDS = 30.0
_BATCH = 500  # points per request; MLflow's limit is 1000
_LONGEST_TAG = 5000  # characters; MLflow's limit
_NEXT_MACHINE = "; resumed on "


class Tracker:
    """Sends one stage's scalars and pictures to the training's run; a context manager.

    Args:
        stage: Prefix of every metric ("pretrain" makes "pretrain/pixel").
        root: The repository, with `mlflow.db` and `mlartifacts` unless MLFLOW_TRACKING_URI names a
            server.
        facts: What identifies and describes the run.
        machine: Describes this machine, on which the stage trains; called when the training begins.
    """

    def __init__(
        self,
        stage: str,
        *,
        root: Path,
        facts: RunFacts,
        machine: Callable[[], str] | None = None,
    ) -> None:
        self.stage, self.root, self.facts = stage, root.resolve(), facts
        self._describe_machine, self._machine = machine, ""
        self.uri = tracking_uri(self.root)
        self._shown = without_password(self.uri)
        self.client: Any = None
        self.run_id = ""
        self.experiment = ""
        self._begun = self._resumed = self._replayed = False
        self._file: RunFile | None = None
        self._history: dict[str, dict[int, float]] = {}  # sent points by metric and step
        self._new_run = False  # whether the server holds nothing but what is in the history
        self._points: list[Metric] = []
        self._files: list[Callable[[], None]] = []  # each uploads a picture or a table
        self._system: SystemMetricsMonitor | None = None
        self._lock = threading.Lock()
        self._sending = threading.Lock()
        self._stop = threading.Event()
        self._retry_at = 0.0
        self._warned = False
        self._thread = threading.Thread(target=self._send_in_loop, name="tracking", daemon=True)

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, _: BaseException | None, __: TracebackType | None
    ) -> None:
        self._stop.set()
        self._thread.join()
        if kind and self._replayed:  # the run is that of the curves, and has failed
            self.open_fitting()
        self._send()
        if self._points or self._files:
            log.warning(
                "MLflow at %s: %d points and %d pictures or tables were not sent; the curves are "
                "in plots/. To send all run: dvc repro --single-item --force evaluate",
                self._shown,
                len(self._points),
                len(self._files),
            )
        stopped = kind is not None and issubclass(kind, KeyboardInterrupt | SystemExit)
        self._close("KILLED" if stopped else "FAILED" if kind else "FINISHED")

    def _close(self, status: str) -> None:
        if self._system:
            self._system.finish()
        if not self._file or not self.run_id:
            return
        try:
            self.client.set_terminated(self.run_id, status)
            self._file.close()
        except Exception as error:  # noqa: BLE001 - MLflow must not fail the stage
            reason = reason_of(error)
            log.warning("MLflow at %s: the run stays marked as running (%s)", self._shown, reason)

    def begin(self, step: int, points: list[Point]) -> None:
        """Opens the run; a training that begins at step 0 never continues another's.

        Args:
            step: The step that the training goes on from.
            points: Its curves up to there.
        """
        self._add(self.stage, points)
        if self._describe_machine:
            self._machine = self._describe_machine()
        self._resumed = step > 0
        if self._resumed:  # the pictures of step 0 are there
            self._files.clear()
        self._begun = True

    def open_fitting(self) -> None:
        """Opens the run if it has no other values than the buffered points; else a new one."""
        self._resumed = self._begun = True

    def _add(self, stage: str, points: list[Point]) -> None:
        now = int(time.time() * 1000)
        metrics = [Metric(f"{stage}/{name}", value, now, step) for step, name, value in points]
        with self._lock:
            self._points += metrics

    def log(self, step: int, scalars: Mapping[str, float], *, stage: str | None = None) -> None:
        """Buffers scalars under the prefix of this stage, or of another."""
        self._add(stage or self.stage, [(step, name, value) for name, value in scalars.items()])

    def picture(self, name: str, image: NDArray[np.uint8], step: int) -> None:
        """Buffers a picture; MLflow shows a slider over the steps of one name."""
        key = f"{self.stage}/{name}"
        with self._lock:
            self._files.append(
                lambda: self.client.log_image(self.run_id, image, key=key, step=step)
            )

    def table(self, path: Path) -> None:
        """Buffers a CSV file, which MLflow shows as a table."""
        table = pd.read_csv(path)
        with self._lock:
            self._files.append(lambda: self._send_table(table, f"{path.stem}.json"))

    def replay(self, curve: Path, stage: str) -> None:
        """Buffers the points of another stage's curve; those that the run has are not sent."""
        self._add(stage, read_points(curve))
        self._replayed = True

    def _send_in_loop(self) -> None:
        while not self._stop.wait(_FLUSH_SECONDS):
            if time.monotonic() >= self._retry_at:
                self._send()

    def _send(self) -> None:
        if not self._begun:
            return
        with self._sending:
            try:
                if not self.run_id:
                    self._open_run()
                self._send_points()
                self._send_files()
                self._warned = False
            except Exception as error:  # noqa: BLE001 - MLflow must not stop the training
                self._retry_at = time.monotonic() + _RETRY_SECONDS
                # the points may have arrived although the answer was lost: read the history again
                self._history, self._new_run = {}, False
                if not self._warned:
                    log.warning(
                        "MLflow at %s: %s. Points are kept; it is tried again every %.0f seconds",
                        self._shown,
                        reason_of(error).rstrip("."),
                        _RETRY_SECONDS,
                    )
                self._warned = True

    def _open_run(self) -> None:
        """Finds or creates the experiment and the run; several processes may do so at once."""
        folder = self.root / ".resume" / "runs"
        folder.mkdir(parents=True, exist_ok=True)
        with FileLock(folder.parent / "mlflow.lock"):
            if moved := relocate(self.root):
                log.info("MLflow at %s: pictures and models were in %s", self._shown, moved)
            self.client = mlflow.MlflowClient(tracking_uri=self.uri)
            self.experiment = experiment_id(self.client, self.root, self.uri)
            file = RunFile(folder, run_key(self.facts)[1], self.uri)
            for run in file.killed_runs():
                if find_run(self.client, run):
                    self.client.set_terminated(run, "KILLED")
            anew = self.stage in file.stages and not self._resumed
            if anew or not find_run(self.client, file.run) or self._contradicts(file.run):
                file.run, file.stages = create_run(self.client, self.experiment, self.facts), set()
                self._history, self._new_run = {}, True
            file.lock()
            file.save(running=True)
        self.client.update_run(file.run, status="RUNNING")
        self._tag_machine(file.run)
        self._file, self.run_id = file, file.run
        self._system = SystemMetricsMonitor(
            file.run, resume_logging=bool(file.stages), tracking_uri=self.uri
        )
        self._system.start()

    def _tag_machine(self, run: str) -> None:
        """Names the machine of this stage; after a resume, all machines that took part."""
        if not self._machine:
            return
        tag, machines = machine_tag(self.stage), [self._machine]
        if self._resumed:
            before = self.client.get_run(run).data.tags.get(tag, "not recorded")
            machines = list(dict.fromkeys([*before.split(_NEXT_MACHINE), self._machine]))
        self.client.set_tag(run, tag, _NEXT_MACHINE.join(machines)[:_LONGEST_TAG])

    def _sent(self, run: str, name: str) -> dict[int, float]:
        """The values of a metric in a run, by step."""
        if name not in self._history:
            points = () if self._new_run else self.client.get_metric_history(run, name)
            self._history[name] = {point.step: point.value for point in points}
        return self._history[name]

    def _contradicts(self, run: str) -> bool:
        """Whether the run has other values for steps of the buffered points."""
        with self._lock:
            points = list(self._points)
        return any(differ(p.value, self._sent(run, p.key).get(p.step)) for p in points)

    def _send_points(self) -> None:
        while True:
            with self._lock:
                batch = self._points[:_BATCH]
            if not batch:
                return
            new = [p for p in batch if p.step not in self._sent(self.run_id, p.key)]
            if new:
                self.client.log_batch(self.run_id, metrics=new)
            for point in batch:
                self._sent(self.run_id, point.key)[point.step] = point.value
            with self._lock:
                del self._points[: len(batch)]
            if self._file:
                self._file.remember({point.key.partition("/")[0] for point in batch})

    def _send_table(self, table: pd.DataFrame, name: str) -> None:
        if name not in [file.path for file in self.client.list_artifacts(self.run_id)]:
            self.client.log_table(self.run_id, table, name)

    def _send_files(self) -> None:
        while self._files:
            self._files[0]()
            with self._lock:
                del self._files[0]
