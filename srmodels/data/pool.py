"""Tasks on many processes, where the death of a process costs one photograph and not the run.

A process can die in a C library or at the hands of the system (out of memory). Each task writes the
photograph it is at into a small file. The task of a dead process is repeated by itself, in case
there was too little memory for several; the photograph at which it dies again is left out. A
photograph that takes too long is left out at once: a C library cannot be interrupted, so its
process is killed.
"""

import os
import time
from collections import deque
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import Generic, Protocol, TypeVar

from tqdm import tqdm

from srmodels.data.diary import Diary, Task
from srmodels.data.manifest import KILLED, too_slow
from srmodels.errors import DataError

__all__ = ["Crew", "cores", "run"]

R = TypeVar("R")
_POLL = 0.5  # seconds


class Crew(Protocol[R]):
    """Processes that work on tasks."""

    def has_room(self) -> bool:
        """Whether another task can be given."""

    def give(self, task: Task) -> None:
        """Hands a task to a process."""

    def wait(self, seconds: float) -> list[tuple[Task, R | None]]:
        """Waits until a task ends, at most so long; None as a result: its process died."""

    def kill(self, task: Task) -> None:
        """Kills the process that works on a task, which then ends as by any other death."""


def cores() -> int:
    """How many cores this process may use."""
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1


@dataclass(slots=True)
class _Watch:
    """A task under way: the photograph it is at, and for how long it has been seen there."""

    task: Task
    alone: bool
    done: int = 0
    photo: str | None = None
    seconds: float = 0.0
    killed_at: str | None = None


class _Run(Generic[R]):
    def __init__(self, tasks: Sequence[Task], crew: Crew[R], diary: Diary, limit: float) -> None:
        self._crew, self._diary, self._limit = crew, diary, limit
        # the longest first, so that they do not come last on one core
        order = sorted(tasks, key=lambda task: -sum(photo.bytes for photo in task.photos))
        self._waiting, self._suspects = deque(order), deque[Task]()
        self._running: dict[str, _Watch] = {}
        self._looked = time.monotonic()
        self._vain = 0
        self.done = 0

    def unfinished(self) -> bool:
        return bool(self._waiting or self._suspects or self._running)

    def photos_done(self) -> int:
        return self.done + sum(watch.done for watch in self._running.values())

    def _give(self, task: Task, *, alone: bool) -> None:
        self._diary.forget(task)  # what a dead process had noted
        self._running[task.name] = _Watch(task, alone)
        self._crew.give(task)

    def _hand_out(self) -> None:
        while self._waiting and self._crew.has_room():
            self._give(self._waiting.popleft(), alone=False)

    def step(self) -> list[tuple[Task, R]]:
        """Hands out what can be handed out, waits a moment; returns the tasks that are done."""
        self._hand_out()
        if not self._running:
            self._give(self._suspects.popleft(), alone=True)
        finished = []
        for task, result in self._crew.wait(_POLL):
            watch = self._running.pop(task.name)
            if result is None:
                self._died(watch)
            else:
                self.done, self._vain = self.done + len(task.photos), 0
                finished.append((task, result))
        self._hand_out()  # no process waits until what is finished has been put away
        self._look()
        return finished

    def _died(self, watch: _Watch) -> None:
        _, photo = self._diary.at(watch.task)
        if photo is None:
            self._vain += 1
            if self._vain > 3:
                raise DataError(
                    "patches: worker processes die before they begin: memory is exhausted, or a "
                    'script of your own starts this outside `if __name__ == "__main__":`'
                )
            self._waiting.appendleft(watch.task)
        elif watch.killed_at is not None:  # by us; it may have been done in the meantime
            slow = photo == watch.killed_at
            again = _without(watch.task, photo, too_slow(self._limit)) if slow else watch.task
            self._waiting.appendleft(again)
        elif watch.alone:
            self._suspects.appendleft(_without(watch.task, photo, KILLED))
        else:
            self._suspects.append(watch.task)

    def _look(self) -> None:
        """Reads how far the tasks are, and kills those that have been at a photograph too long."""
        now = time.monotonic()
        if now - self._looked < _POLL:
            return
        # no more than that at a time: a stopped machine is not held against its processes
        passed, self._looked = min(now - self._looked, 2 * _POLL), now
        for watch in self._running.values():
            done, photo = self._diary.at(watch.task)
            same = (done, photo) == (watch.done, watch.photo)
            watch.seconds = watch.seconds + passed if same and photo else 0.0
            watch.done, watch.photo = done, photo
            if self._limit and watch.seconds > self._limit and watch.killed_at != photo:
                watch.killed_at = photo
                self._crew.kill(watch.task)


def _without(task: Task, photo: str, reason: str) -> Task:
    return replace(task, left_out=task.left_out | {photo: reason})


def run(
    tasks: Sequence[Task],
    crew: Crew[R],
    diary: Diary,
    *,
    limit: float,
    keep: Callable[[Task, R], None],
    before: int = 0,
) -> None:
    """Runs every task; the results do not depend on the number of processes.

    Args:
        tasks: The tasks.
        crew: Who works on them.
        diary: The one that their work writes into.
        limit: Seconds that a photograph may take, as seen from here and only while this process
            itself runs; 0: any time.
        keep: Gets each task and its result, as soon as it is done.
        before: How many photographs earlier runs have done, for the progress bar.

    Raises:
        DataError: Processes die without having begun a photograph.
    """
    under_way: _Run[R] = _Run(tasks, crew, diary, limit)
    total = before + sum(len(task.photos) for task in tasks)
    with tqdm(total=total, initial=before, desc="patches", unit="photo", disable=None) as bar:
        while under_way.unfinished():
            for task, result in under_way.step():
                keep(task, result)
            bar.update(before + under_way.photos_done() - bar.n)
