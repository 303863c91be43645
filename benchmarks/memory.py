"""The memory of worker processes while they work."""

import threading

import psutil


class Peak(threading.Thread):
    """Watches this process's new children; `stop` tells the most private bytes that one held.

    Private bytes: what is shared with the process a worker was forked from costs nothing more. The
    fork server itself is no new child, once it runs.
    """

    def __init__(self) -> None:
        super().__init__(daemon=True)
        self._bytes, self._over = 0, threading.Event()
        self._old = set(psutil.Process().children(recursive=True))

    def run(self) -> None:
        """Looks fifty times a second."""
        while not self._over.wait(0.02):
            for child in set(psutil.Process().children(recursive=True)) - self._old:
                try:
                    self._bytes = max(self._bytes, child.memory_full_info().uss)
                except psutil.Error:  # it has just ended
                    continue

    def stop(self) -> int:
        """Ends the watch."""
        self._over.set()
        self.join()
        return self._bytes
