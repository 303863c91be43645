"""Process pools of one process each on this machine."""

import multiprocessing
import os
import signal
import threading
from collections.abc import Callable, Sequence
from concurrent.futures import BrokenExecutor, Executor, Future, ProcessPoolExecutor
from contextlib import suppress
from functools import partial
from typing import Any, ParamSpec, TypeVar

from srmodels.data.executor.task import use_one_thread

P = ParamSpec("P")
R = TypeVar("R")


def _end_with_parent() -> None:
    parent = multiprocessing.parent_process()
    assert parent is not None, "a worker has a parent"
    parent.join()
    os._exit(1)


def _start_worker() -> None:
    # Ctrl-C and Ctrl-Z are for the parent; a stopped worker would exceed its time limit
    for name in ("SIGINT", "SIGTSTP"):
        if hasattr(signal, name):
            signal.signal(getattr(signal, name), signal.SIG_IGN)
    threading.Thread(target=_end_with_parent, daemon=True).start()
    use_one_thread()


class ProcessExecutor(Executor):
    """Process pools of one process each, so that a death costs one task.

    Each process starts with its first task; `shutdown` kills all. The fork server imports the
    modules `preload` once for all processes.
    """

    def __init__(self, count: int, *, preload: Sequence[str] = ()) -> None:
        self._count = count
        self._idle: list[ProcessPoolExecutor] = []
        self._busy: dict[Future[Any], ProcessPoolExecutor] = {}
        self._other_children = set(multiprocessing.active_children())
        # threads do not survive a plain fork; a fork server has none
        methods = multiprocessing.get_all_start_methods()
        context = multiprocessing.get_context("forkserver" if "forkserver" in methods else "spawn")
        context.set_forkserver_preload(list(preload))
        self._new_pool = partial(
            ProcessPoolExecutor, 1, mp_context=context, initializer=_start_worker
        )

    def slots(self) -> int:
        """How many tasks may run at a time."""
        return self._count

    def submit(self, work: Callable[P, R], /, *args: P.args, **kwargs: P.kwargs) -> Future[R]:
        """Runs a call in an idle process or a new one."""
        for done in [future for future in self._busy if future.done()]:
            self._idle.append(self._busy.pop(done))
        while True:
            pool = self._idle.pop() if self._idle else self._new_pool()
            with suppress(BrokenExecutor):  # the process of an idle pool has died
                future = pool.submit(work, *args, **kwargs)
                self._busy[future] = pool
                return future

    def result(self, future: Future[R]) -> R | None:
        """The result of a call; None if its process died."""
        return None if isinstance(future.exception(), BrokenExecutor) else future.result()

    def shutdown(self, wait: bool = True, *, cancel_futures: bool = False) -> None:
        """Kills the processes."""
        for process in set(multiprocessing.active_children()) - self._other_children:
            process.kill()  # all before the first join: to free their memory takes a while
        for pool in [*self._idle, *self._busy.values()]:
            pool.shutdown(wait, cancel_futures=cancel_futures)
