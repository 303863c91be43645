"""Worker processes on this machine, each with a pipe of its own, so that a death concerns one task.

Python's own pool breaks as a whole when one of its processes dies, and every task under way is lost
with it.
"""

import multiprocessing
import os
import signal
import threading
import traceback
from collections.abc import Callable
from contextlib import suppress
from multiprocessing.connection import Connection, wait
from multiprocessing.context import ForkServerContext, SpawnContext
from types import TracebackType
from typing import Generic, TypeVar

import pillow_heif

from srmodels.data.diary import Task
from srmodels.errors import SrmodelsError

__all__ = ["Processes", "one_thread"]

R = TypeVar("R")


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
    context.set_forkserver_preload(["srmodels.data.forked"])
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
    """A crew of processes on this machine; see `srmodels.data.pool.Crew`.

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
