"""SIGTERM, SIGINT and SIGUSR1 let a training finish its step and save."""

import signal
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from types import FrameType

_NAMES = ("SIGTERM", "SIGINT", "SIGUSR1")  # SLURM can send SIGUSR1 before it pre-empts a job


class StopRequests:
    """Remembers the first stop signal in `received`."""

    def __init__(self) -> None:
        self.received: signal.Signals | None = None

    def handle(self, number: int, _frame: FrameType | None = None) -> None:
        """Remembers a signal; a SIGINT after another signal raises KeyboardInterrupt."""
        if self.received is not None and number == signal.SIGINT:
            raise KeyboardInterrupt
        self.received = self.received or signal.Signals(number)


@contextmanager
def stop_requests() -> Iterator[StopRequests]:
    """Handles stop signals inside, in the main thread; ignored ones (`nohup`) stay ignored."""
    requests, before = StopRequests(), {}
    if threading.current_thread() is threading.main_thread():
        for name in _NAMES:
            number = getattr(signal, name, None)  # Windows has no SIGUSR1
            if number is not None and signal.getsignal(number) not in (signal.SIG_IGN, None):
                before[number] = signal.signal(number, requests.handle)
    try:
        yield requests
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
