"""Seconds, CPU seconds and memory of commands, and of worker processes while they work."""

import ctypes
import os
import subprocess
import threading
import time
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

import psutil

_PR_SET_CHILD_SUBREAPER = 36  # of linux/prctl.h


@dataclass
class Usage:
    """What a piece of work took."""

    seconds: float = 0.0
    cpu: float = 0.0  # seconds of user and system, of all processes
    peak: int = 0  # resident bytes of the largest process


def _adopt_orphans() -> None:
    """Makes this process the parent of orphaned descendants, to wait for them; Linux only."""
    ctypes.CDLL(None).prctl(_PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0)


def _wait_for_all(usage: Usage) -> None:
    """Waits for all children, adopted ones included, and adds what they took."""
    with suppress(ChildProcessError):
        while True:
            _, _, used = os.wait4(-1, 0)
            usage.cpu += used.ru_utime + used.ru_stime
            usage.peak = max(usage.peak, used.ru_maxrss * 1024)


def command_usage(
    command: Sequence[str], folder: Path, environment: Mapping[str, str], log: Path
) -> tuple[int, Usage]:
    """Runs a command; returns its exit code and what it and its descendants took.

    `seconds` end with the command, the rest with the last descendant. Output goes to `log`.
    """
    _adopt_orphans()
    usage, start = Usage(), time.perf_counter()
    with log.open("ab") as output:
        process = subprocess.Popen(
            command, cwd=folder, env=environment, stdout=output, stderr=output
        )
        _, status, used = os.wait4(process.pid, 0)
    process.returncode = os.waitstatus_to_exitcode(status)
    usage.seconds = time.perf_counter() - start
    usage.cpu = used.ru_utime + used.ru_stime
    usage.peak = used.ru_maxrss * 1024
    _wait_for_all(usage)
    return process.returncode, usage


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
