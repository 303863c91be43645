"""A process that runs one errand at a time for the page, and is killed when it takes too long.

Decoders and networks run there and not in the server: whatever a file does to them, the server
lives, and what is killed has stopped, wherever it was.
"""

import logging
import multiprocessing
import os
import signal
import threading
import time
import traceback
from collections.abc import Callable
from contextlib import suppress
from multiprocessing.connection import Connection
from typing import Protocol, TypeVar

from srmodels.errors import SrmodelsError

__all__ = ["Job", "Report", "StoppedError", "Worker"]

log = logging.getLogger(__name__)

_POLL = 0.1  # seconds
_START = 120.0  # seconds: importing PyTorch on a busy machine
T = TypeVar("T")
T_co = TypeVar("T_co", covariant=True)
Report = Callable[[float], None]  # the share that is done, 0 to 1


class StoppedError(SrmodelsError):
    """The work was ended before it was done."""


class Job(Protocol[T_co]):
    """Work that travels to the process; so does what it returns."""

    def do(self, report: Report) -> T_co:
        """Does it."""


def _end_with_parent() -> None:
    parent = multiprocessing.parent_process()
    assert parent is not None, "a worker has a parent"
    parent.join()
    os._exit(1)


def _serve(pipe: Connection) -> None:
    """What the process does: errands, until the pipe is closed."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C is for the parent, which ends this one
    threading.Thread(target=_end_with_parent, daemon=True).start()
    while True:
        try:
            errand = pipe.recv()
        except EOFError:
            return
        pipe.send(0.0)  # whatever had to be imported is
        answer: tuple[object] | Exception
        try:
            answer = (errand.do(pipe.send),)
        except (SrmodelsError, MemoryError) as error:
            answer = error
        except Exception:  # noqa: BLE001 - the parent raises it; not every exception can travel
            answer = RuntimeError(traceback.format_exc())
        pipe.send(answer)


class Worker:
    """One process, started when it is needed, and again after it was killed or has died.

    Args:
        seconds: That an errand may take.
    """

    def __init__(self, seconds: float) -> None:
        self._seconds = seconds
        self._turn = threading.Lock()
        self._running: tuple[multiprocessing.process.BaseProcess, Connection] | None = None

    def run(self, errand: Job[T], *, stop: threading.Event, report: Report | None = None) -> T:
        """Runs an errand in the process, after those that came before.

        Args:
            errand: Of a class at the top of a module.
            stop: Ends it when set.
            report: Called with the share that is done.

        Raises:
            StoppedError: It took too long, was stopped, or its process died.
            SrmodelsError: The errand raised it.
        """
        answer: tuple[T] | Exception
        with self._turn:
            try:
                self._pipe().send(errand)
                answer = self._answer(stop, report or (lambda _: None))
            except (EOFError, OSError):
                self.close()
                raise StoppedError(
                    "the work: ended its process (out of memory, or a damaged file that a decoder "
                    "cannot stand); try a smaller picture or another kind of file"
                ) from None
            except BaseException:
                self.close()
                raise
        if isinstance(answer, Exception):
            raise answer
        return answer[0]

    def _pipe(self) -> Connection:
        if self._running is None or not self._running[0].is_alive():
            self.close()
            context = multiprocessing.get_context("spawn")
            pipe, other = context.Pipe()
            process = context.Process(target=_serve, args=(other,), daemon=True)
            process.start()
            other.close()
            self._running = process, pipe
        return self._running[1]

    def _answer(self, stop: threading.Event, report: Report) -> tuple[T] | Exception:
        pipe, end, begun = self._pipe(), time.monotonic() + _START, False
        while not stop.is_set():
            if time.monotonic() > end:
                raise StoppedError(
                    f"the work: takes longer than {self._seconds:g} s, and was stopped; choose a "
                    "smaller picture or a smaller generator"
                )
            if not pipe.poll(_POLL):
                continue
            found: float | tuple[T] | Exception = pipe.recv()
            if not isinstance(found, float):
                return found
            if not begun:
                begun, end = True, time.monotonic() + self._seconds
            report(found)
        raise StoppedError("the work: was stopped")

    def close(self) -> None:
        """Ends the process, whatever it does."""
        if self._running is not None:
            process, pipe = self._running
            self._running = None
            pipe.close()
            with suppress(AttributeError):  # not started
                process.kill()
                process.join()
