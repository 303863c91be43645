"""The loop that runs tasks on an executor.

If a process dies (a crash in a C library, out of memory), its task runs again alone; the photograph
at which it dies again is left out. A photograph above the time limit is left out at once.
"""

from collections import deque
from collections.abc import Callable, Sequence
from concurrent.futures import FIRST_COMPLETED, Future, wait
from dataclasses import replace
from pathlib import Path
from typing import TypeVar

from tqdm import tqdm

from srmodels.data.executor.cluster import DaskExecutor
from srmodels.data.executor.processes import ProcessExecutor
from srmodels.data.executor.task import Task
from srmodels.data.executor.time_limit import KILLED, ProgressNote
from srmodels.errors import DataError

R = TypeVar("R")

_POLL = 0.5  # seconds between two looks at the progress
_MAX_FAILURES = 3  # deaths before a photograph has begun


def _after_death(task: Task, note: ProgressNote) -> Task:
    """The task to repeat after a process died; an equal one if no photograph had begun."""
    begun, too_slow = note.read()
    if begun and not too_slow and not task.alone:  # others may have taken the memory
        return replace(task, alone=True)
    at_fault = too_slow or dict.fromkeys(begun[-1:], KILLED)
    return replace(task, excluded=task.excluded | at_fault)


def run(
    work: Callable[[Task], R],
    tasks: Sequence[Task],
    executor: ProcessExecutor | DaskExecutor,
    *,
    notes: Path,
    seconds: float,
    keep: Callable[[Task, R], None],
    done: int = 0,
    label: str = "patches",
) -> None:
    """Runs every task on an executor.

    `work`, a module's function or a partial of one, does a task and calls `ProgressNote.begin` for
    each photograph; `keep` gets each task and its result, in no order. `seconds` limits a
    photograph (0: no limit); the progress notes lie in `notes`. `done` photographs were done
    before, for the bar `label`.
    """
    # the longest first, so that none of them is the last to run
    waiting = deque(sorted(tasks, key=lambda task: -sum(photo.bytes for photo in task.photos)))
    running: dict[Future[R], tuple[Task, ProgressNote]] = {}
    failures, total = 0, done + sum(len(task.photos) for task in tasks)

    def fill_slots() -> None:
        while waiting and len(running) < executor.slots() and not (waiting[0].alone and running):
            task = waiting.popleft()
            note = ProgressNote(notes, task, seconds)
            note.clear()
            running[executor.submit(work, task)] = task, note

    fill_slots()
    with tqdm(total=total, initial=done, desc=label, unit="photo", disable=None) as bar:
        while running:
            finished = []
            for future in wait(running, _POLL, FIRST_COMPLETED).done:
                (task, note), result = running.pop(future), executor.result(future)
                if result is not None:
                    finished.append((task, result))
                    failures, done = 0, done + len(task.photos)
                    continue
                retry = _after_death(task, note)
                failures += retry == task
                if failures > _MAX_FAILURES:
                    raise DataError(
                        "patches: worker processes die before they begin: memory is exhausted, or "
                        'a script of your own starts this outside `if __name__ == "__main__":` '
                        f"(got {failures} deaths). Free memory, or add that line."
                    )
                # those that must run alone come last
                waiting.append(retry) if retry.alone else waiting.appendleft(retry)
            fill_slots()  # before `keep`, so that no process waits for it
            for task, result in finished:
                keep(task, result)
            begun = sum(max(0, len(set(note.read()[0])) - 1) for _, note in running.values())
            bar.update(done + begun - bar.n)
