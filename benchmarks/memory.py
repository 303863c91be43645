"""The memory of worker processes while they work."""

import threading

import psutil


class Peak(threading.Thread):
    """Watches the child processes started after this thread was made.

    Memory that a worker shares with the process it was forked from is not counted. A fork server
    that runs already is no new child.
    """

    def __init__(self) -> None:
        super().__init__(daemon=True)
        self._bytes, self._stopped = 0, threading.Event()
        self._existing = set(psutil.Process().children(recursive=True))

    def run(self) -> None:
        """Reads the memory of all new children fifty times per second."""
        while not self._stopped.wait(0.02):
            for child in set(psutil.Process().children(recursive=True)) - self._existing:
                try:
                    self._bytes = max(self._bytes, child.memory_full_info().uss)
                except psutil.Error:  # the child has ended
                    continue

    def stop(self) -> int:
        """Ends the thread; returns the largest private bytes of one child."""
        self._stopped.set()
        self.join()
        return self._bytes
