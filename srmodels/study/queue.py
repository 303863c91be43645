"""Trains the experiments of a study with DVC's queue, whose workers go on in the background."""

import subprocess
import sys
import time
from collections.abc import Callable, Sequence
from math import ceil
from pathlib import Path

import typer

from srmodels.comparison.sources import experiment_names
from srmodels.errors import TrainingError
from srmodels.study.commands import dvc, fault_in
from srmodels.study.plan import Training

_POLL_SECONDS, _STATUS_SECONDS = 5.0, 60.0
_NO_WORKER = "Worker status: 0 active, 0 idle"
_STARTS = 3  # of the workers, if they die


def task_states(text: str, names: Sequence[str]) -> dict[str, str]:
    """The state of each named task in the output of `dvc queue status`; the last line counts."""
    rows = [line.split() for line in text.splitlines()]
    return {name: row[-1] for row in rows for name in names if name in row[1:2]}


def _status(root: Path) -> str | None:
    try:
        return dvc("queue", "status", root=root, show=False)
    except TrainingError:  # a worker was writing the file that DVC read
        return None


def _start_workers(jobs: int, root: Path) -> None:
    typer.echo(f"$ dvc queue start -j {jobs}")
    with (root / ".resume" / "study-workers.log").open("ab") as log:
        subprocess.run(  # noqa: S603 - no pipe, since the workers would keep it open
            [sys.executable, "-m", "dvc", "queue", "start", "-j", str(jobs)],
            cwd=root,
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=log,
            start_new_session=True,
            check=False,
        )


def enqueue(trainings: Sequence[Training], *, root: Path) -> None:
    """Queues the experiments that are neither finished nor in the queue; failed ones again."""
    finished = set(experiment_names(root))
    missing = [training for training in trainings if training.name not in finished]
    states = task_states(_status(root) or "", [training.name for training in missing])
    for training in missing:
        if states.get(training.name) in ("Queued", "Running"):
            continue
        if training.name in states:
            dvc("queue", "remove", training.name, root=root, show=False)
        dvc("exp", "run", "--queue", "-n", training.name, *training.options(), root=root)


def wait(
    trainings: Sequence[Training],
    *,
    jobs: int,
    root: Path,
    clock: Callable[[], float] = time.monotonic,
    pause: Callable[[float], None] = time.sleep,
) -> None:
    """Starts workers, and returns when every experiment is finished.

    Raises:
        TrainingError: One has failed, with the line of its stage; or the workers die.
    """
    names = {training.name for training in trainings}
    starts, told, begun = 0, -1, clock()
    asked: float | None = None
    first = len(names & set(experiment_names(root)))
    while missing := names - set(experiment_names(root)):
        done = len(names) - len(missing)
        if done != told:
            told, new = done, done - first
            rest = ""
            if new:  # as many as run at once end at about the same time
                rounds, passed = ceil((len(names) - first) / jobs), ceil(new / jobs)
                left = (clock() - begun) / 60 / passed * (rounds - passed)
                rest = f", about {left:.0f} minutes left"
            typer.echo(f"{done} of {len(names)} trainings finished{rest}")
        if asked is None or clock() - asked > _STATUS_SECONDS:
            asked, text = clock(), _status(root)
            states = task_states(text or "", sorted(missing))
            if failed := [name for name, state in states.items() if state == "Failed"]:
                log = dvc("queue", "logs", failed[0], root=root, show=False)
                raise TrainingError(
                    f"{failed[0]}: {fault_in(log) or 'the training failed'}. See `dvc queue logs "
                    f"{failed[0]}`; then run the same command again."
                )
            if text is not None and _NO_WORKER in text:
                if starts == _STARTS:
                    raise TrainingError(
                        "study: DVC's workers end without a result (see .resume/study-workers.log)."
                        " Run the same command again."
                    )
                starts += 1
                _start_workers(jobs, root)
        pause(_POLL_SECONDS)
    typer.echo(f"{len(names)} of {len(names)} trainings finished")
