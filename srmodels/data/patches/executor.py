"""Tasks on many processes, where the death of a process costs one photograph and not the run.

A process can die in a C library or at the hands of the system (out of memory). Each task writes the
photograph it is at into a small file. The task of a dead process is repeated by itself, in case
there was too little memory for several; the photograph at which it dies again is left out. A
photograph that takes too long is left out at once: a C library cannot be interrupted, so its
process is killed.

Worker processes on this machine, each with a pipe of its own, so that a death concerns one task.

Python's own pool breaks as a whole when one of its processes dies, and every task under way is lost
with it.

The workers of a dask cluster, for those who have one: the same work with the same results.

The workers need this package and its libraries in the same versions as here, and must see the
photographs and the patches under the same absolute paths: one file system. Each should have one
thread (`dask worker --nthreads 1`), so that a death concerns one task. dask repeats the task of a
dead worker elsewhere; one that it gives up, by default after the fourth death, is then treated as
that of a dead process on one machine is.
"""

import logging
import multiprocessing
import os
import signal
import socket
import threading
import time
import traceback
from collections import deque
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from multiprocessing.connection import Connection, wait
from multiprocessing.context import ForkServerContext, SpawnContext
from types import TracebackType
from typing import Any, Generic, Protocol, TypeVar

import pillow_heif
from tqdm import tqdm

from srmodels.data.patches.manifest import KILLED, too_slow
from srmodels.data.patches.task import ProgressNote, Task
from srmodels.errors import DataError, SrmodelsError

__all__ = ["Cluster", "Crew", "Processes", "cores", "one_thread", "run"]

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
    def __init__(
        self, tasks: Sequence[Task], crew: Crew[R], diary: ProgressNote, limit: float
    ) -> None:
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
    diary: ProgressNote,
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


def one_thread() -> None:
    """Makes the decoders use one thread each: the processes are the parallel part."""
    pillow_heif.options.DECODE_THREADS = 1


def _end_with_parent() -> None:
    parent = multiprocessing.parent_process()
    assert parent is not None, "a worker has a parent"
    parent.join()
    os._exit(1)


def _serve(work: Callable[[Task], R], pipe: Connection) -> None:
    """What a worker does: tasks, until the pipe is closed."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C is for the parent, which ends this one
    threading.Thread(target=_end_with_parent, daemon=True).start()
    one_thread()
    while True:
        try:
            task = pipe.recv()
        except EOFError:
            return
        answer: R | Exception
        try:
            answer = work(task)
        except SrmodelsError as error:
            answer = error
        except Exception:  # noqa: BLE001 - the parent raises it; not every exception can travel
            answer = RuntimeError(traceback.format_exc())
        pipe.send(answer)


def _context() -> ForkServerContext | SpawnContext:
    # threads do not survive a plain fork; a fork server has none, and imports once what is slow
    if "forkserver" not in multiprocessing.get_all_start_methods():
        return multiprocessing.get_context("spawn")
    context = multiprocessing.get_context("forkserver")
    context.set_forkserver_preload(["srmodels.data.patches.preload"])
    return context


class _Worker(Generic[R]):
    def __init__(self, work: Callable[[Task], R]) -> None:
        context = _context()
        self.pipe, other = context.Pipe()
        self.process = context.Process(target=_serve, args=(work, other), daemon=True)
        self.process.start()
        other.close()

    def end(self) -> None:
        self.pipe.close()
        self.process.kill()
        self.process.join()


class Processes(Generic[R]):
    """A crew of processes on this machine; see `srmodels.data.patches.executor.Crew`.

    Args:
        work: What a process does with a task; a module's function or a partial of one.
        count: How many.
    """

    def __init__(self, work: Callable[[Task], R], count: int) -> None:
        self._work, self._count = work, count
        self._idle: list[_Worker[R]] = []
        self._busy: dict[Connection, tuple[_Worker[R], Task]] = {}

    def __enter__(self) -> "Processes[R]":
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        workers = [*self._idle, *(worker for worker, _ in self._busy.values())]
        for worker in workers:  # all at once: the system takes a while to give back their memory
            worker.process.kill()
        for worker in workers:
            worker.end()

    def has_room(self) -> bool:
        """Whether a process is free."""
        return len(self._busy) < self._count

    def give(self, task: Task) -> None:
        """Hands a task to a free process, or to a new one."""
        while self._idle:
            worker = self._idle.pop()
            with suppress(BrokenPipeError):  # it died while it had nothing to do
                worker.pipe.send(task)
                self._busy[worker.pipe] = (worker, task)
                return
            worker.end()
        worker = _Worker(self._work)
        worker.pipe.send(task)
        self._busy[worker.pipe] = (worker, task)

    def wait(self, seconds: float) -> list[tuple[Task, R | None]]:
        """Waits until a task ends; see `Crew.wait`.

        Raises:
            SrmodelsError: A task's work raised it.
        """
        ended: list[tuple[Task, R | None]] = []
        for pipe in wait(list(self._busy), seconds):
            assert isinstance(pipe, Connection), "only pipes are waited for"
            worker, task = self._busy.pop(pipe)
            try:
                answer = pipe.recv()
            except (EOFError, OSError):
                worker.end()
                ended.append((task, None))
                continue
            self._idle.append(worker)
            if isinstance(answer, Exception):
                raise answer
            ended.append((task, answer))
        return ended

    def kill(self, task: Task) -> None:
        """Kills the process that works on a task."""
        for worker, its in self._busy.values():
            if its.name == task.name:
                worker.process.kill()


log = logging.getLogger(__name__)

_PATIENCE = 20.0  # seconds, for an answer


def _dask() -> Any:  # noqa: ANN401 - an optional package
    try:
        import distributed  # only where it is asked for
    except ImportError:
        raise DataError(
            "patches.executor: dask is not installed; pip install 'srmodels[cluster]', or set it "
            "to processes"
        ) from None
    return distributed


def _serve_on_dask(work: Callable[[Task], R], task: Task) -> R:
    one_thread()
    return work(task)


class Cluster(Generic[R]):
    """A crew of dask's workers; see `srmodels.data.patches.executor.Crew`.

    Args:
        work: What a worker does with a task; a module's function or a partial of one.
        scheduler: The address of dask's scheduler.

    Raises:
        DataError: dask is not installed, or nobody answers at that address.
    """

    def __init__(self, work: Callable[[Task], R], scheduler: str) -> None:
        self._work, self._scheduler, self._dask = work, scheduler, _dask()
        self._tasks: dict[Any, Task] = {}
        self._killed: list[Task] = []
        try:
            # without this, a client that could not connect would keep trying until the end
            place = self._dask.comm.get_address_host_port(scheduler)
            socket.create_connection(place, _PATIENCE).close()
            self._client = self._dask.Client(scheduler, timeout=_PATIENCE, set_as_default=False)
        except (OSError, ValueError) as error:
            raise DataError(
                f"patches.scheduler: no scheduler of dask answers (found {scheduler}: {error}); "
                "start one, or set patches.executor to processes"
            ) from None
        log.info("%d workers of dask at %s", len(self._client.nthreads()), scheduler)

    def __enter__(self) -> "Cluster[R]":
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._client.cancel(list(self._tasks))
        self._client.close()

    def has_room(self) -> bool:
        """Whether some worker would run out of tasks.

        Raises:
            DataError: The scheduler is lost.
        """
        try:
            threads: int = sum(self._client.nthreads().values())
        except OSError as error:
            raise self._lost(error) from None
        return len(self._tasks) < 2 * max(1, threads)

    def give(self, task: Task) -> None:
        """Hands a task to dask."""
        # else dask would take a repeated task for the one that it has already done
        future = self._client.submit(_serve_on_dask, self._work, task, pure=False)
        self._tasks[future] = task

    def wait(self, seconds: float) -> list[tuple[Task, R | None]]:
        """Waits until a task ends; see `Crew.wait`.

        Raises:
            SrmodelsError: A task's work raised it.
            DataError: The scheduler is lost, or the workers cannot do such work.
        """
        ended: list[tuple[Task, R | None]] = [(task, None) for task in self._killed]
        self._killed.clear()
        if futures := list(self._tasks):
            try:
                with self._client.as_current():
                    done = self._dask.wait(futures, seconds, "FIRST_COMPLETED").done
                ended += [(self._tasks.pop(future), self._result_of(future)) for future in done]
            except TimeoutError:
                pass
            except (OSError, self._dask.client.FuturesCancelledError) as error:
                raise self._lost(error) from None
        return ended

    def _lost(self, error: Exception) -> DataError:
        return DataError(
            f"patches.scheduler: lost (found {self._scheduler}: {type(error).__name__}); start it "
            "again and repeat, which goes on with what is missing"
        )

    def _result_of(self, future: Any) -> R | None:  # noqa: ANN401 - one of dask's
        error = future.exception()
        if isinstance(error, ImportError):
            raise DataError(f"patches.scheduler: a worker lacks the package here ({error})")
        if isinstance(error, self._dask.scheduler.KilledWorker):
            return None
        result: R = future.result()
        return result

    def kill(self, task: Task) -> None:
        """Kills the worker that is at a task; its nanny, where it has one, starts another."""
        future = next(future for future, its in self._tasks.items() if its.name == task.name)
        busy = self._client.processing().items()
        workers = [address for address, keys in busy if future.key in keys]
        self._killed.append(self._tasks.pop(future))
        future.cancel(force=True)  # first, or dask repeats it elsewhere
        with suppress(TimeoutError):
            self._client.restart_workers(workers, timeout=_PATIENCE, raise_for_error=False)
