"""A process that runs one job at a time, in their order, and is killed when one takes too long.

Decoders and networks run there, so that no file can crash the server.
"""

import multiprocessing
import os
import signal
import threading
import time
import traceback
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from multiprocessing.connection import Connection
from typing import Protocol, TypeVar

from srmodels.errors import SrmodelsError

_POLL_SECONDS = 0.1
_QUEUE_SECONDS = 0.5
_START_SECONDS = 120.0  # importing PyTorch on a busy machine
T = TypeVar("T")
T_co = TypeVar("T_co", covariant=True)
Progress = Callable[[float], None]  # called with the fraction done, 0 to 1
Place = Callable[[int], None]  # called with the number of jobs before a waiting one


class StoppedError(SrmodelsError):
    """A job was stopped before its end."""


class Job(Protocol[T_co]):
    """Work for the process; the job and its result can be pickled."""

    def run(self, progress: Progress) -> T_co:
        """Does the work."""


def _exit_with_parent() -> None:
    parent = multiprocessing.parent_process()
    assert parent is not None, "a worker has a parent"
    parent.join()
    os._exit(1)


def _serve(pipe: Connection) -> None:
    """Runs jobs in the process until the pipe is closed."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # the parent handles Ctrl-C
    threading.Thread(target=_exit_with_parent, daemon=True).start()
    while True:
        try:
            job = pipe.recv()
        except EOFError:
            return
        pipe.send(0.0)  # all imports are done: the time limit starts
        answer: tuple[object] | Exception
        try:
            answer = (job.run(pipe.send),)
        except (SrmodelsError, MemoryError) as error:
            answer = error
        except Exception:  # noqa: BLE001 - the parent raises it; not every exception can be pickled
            answer = RuntimeError(traceback.format_exc())
        pipe.send(answer)


class Worker:
    """One process, started on demand; `seconds` is the time limit of a job."""

    def __init__(self, seconds: float) -> None:
        self._seconds = seconds
        self._turn = threading.Condition()
        self._queue: list[object] = []  # the running job's ticket, then those that wait
        self._process: tuple[multiprocessing.process.BaseProcess, Connection] | None = None

    @contextmanager
    def _place_in_queue(self, stop: threading.Event, place: Place) -> Iterator[None]:
        """Waits until all earlier jobs have ended, and reports how many they are."""
        ticket = object()
        with self._turn:
            self._queue.append(ticket)
        try:
            with self._turn:
                while before := self._queue.index(ticket):
                    if stop.is_set():
                        raise StoppedError("the work: was stopped")
                    place(before)
                    self._turn.wait(_QUEUE_SECONDS)
            yield
        finally:
            with self._turn:
                self._queue.remove(ticket)
                self._turn.notify_all()

    def run(
        self,
        job: Job[T],
        *,
        stop: threading.Event,
        progress: Progress | None = None,
        place: Place | None = None,
    ) -> T:
        """Runs a job after those that wait already.

        Raises:
            StoppedError: The job exceeded the time limit, `stop` was set, or its process died.
            SrmodelsError: The job raised it.
        """
        answer: tuple[T] | Exception
        with self._place_in_queue(stop, place or (lambda _: None)):
            try:
                pipe = self._connect()
                pipe.send(job)
                answer = self._receive(pipe, stop, progress or (lambda _: None))
            except (EOFError, OSError):
                self.close()
                raise StoppedError(
                    "the work: its process died (out of memory, or a damaged file crashed the "
                    "decoder). Try a smaller image or another file type."
                ) from None
            except BaseException:
                self.close()
                raise
        if isinstance(answer, Exception):
            raise answer
        return answer[0]

    def _connect(self) -> Connection:
        if self._process is None or not self._process[0].is_alive():
            self.close()
            context = multiprocessing.get_context("spawn")
            pipe, other = context.Pipe()
            process = context.Process(target=_serve, args=(other,), daemon=True)
            process.start()
            other.close()
            self._process = process, pipe
        return self._process[1]

    def _receive(
        self, pipe: Connection, stop: threading.Event, progress: Progress
    ) -> tuple[T] | Exception:
        deadline, started = time.monotonic() + _START_SECONDS, False
        while not stop.is_set():
            if time.monotonic() > deadline:
                raise StoppedError(
                    f"the work: takes longer than {self._seconds:g} s and was stopped. Choose a "
                    "smaller image or a smaller generator."
                )
            if not pipe.poll(_POLL_SECONDS):
                continue
            message: float | tuple[T] | Exception = pipe.recv()
            if not isinstance(message, float):
                return message
            if not started:
                started, deadline = True, time.monotonic() + self._seconds
            progress(message)
        raise StoppedError("the work: was stopped")

    def close(self) -> None:
        """Kills the process."""
        if self._process is not None:
            process, pipe = self._process
            self._process = None
            pipe.close()
            process.kill()
            process.join()
