"""Being asked to stop: SIGTERM, SIGINT and SIGUSR1 let a training finish its step and save."""

import signal
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from types import FrameType

__all__ = ["StopRequests", "stop_requests"]

_NAMES = ("SIGTERM", "SIGINT", "SIGUSR1")  # SIGUSR1: what SLURM is told to send before it pre-empts


class StopRequests:
    """Which signal has asked for an end.

    Attributes:
        asked: The first that came; None before.
    """

    def __init__(self) -> None:
        self.asked: signal.Signals | None = None

    def take(self, number: int, _frame: FrameType | None = None) -> None:
        """Remembers a signal; a SIGINT after it does not wait.

        Raises:
            KeyboardInterrupt: A SIGINT came after another request.
        """
        if self.asked is not None and number == signal.SIGINT:
            raise KeyboardInterrupt
        self.asked = self.asked or signal.Signals(number)


@contextmanager
def stop_requests() -> Iterator[StopRequests]:
    """Takes the signals while the block runs, and then puts back what took them before.

    A signal that this process was started to ignore (`nohup`, a job in a shell's background) stays
    ignored. In another thread than the main one nothing is taken: Python calls handlers there only.
    """
    requests, before = StopRequests(), {}
    if threading.current_thread() is threading.main_thread():
        for name in _NAMES:
            number = getattr(signal, name, None)  # Windows has no SIGUSR1
            if number is not None and signal.getsignal(number) not in (signal.SIG_IGN, None):
                before[number] = signal.signal(number, requests.take)
    try:
        yield requests
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
