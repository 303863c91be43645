"""How many CPU threads a training uses: its share of the cores, fewer beside other programs.

PyTorch's threads wait for each other, so a thread whose core is busy with something else holds up
all of them: beside other work fewer threads are faster. The number of threads changes the last
digits of a result, so every change is logged and kept in metrics/<stage>.json.
"""

import logging
import os
import tempfile
import time
from collections.abc import Callable, Iterator, Mapping, Set
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

import torch
from filelock import FileLock, Timeout

from srmodels.machine import core_numbers

__all__ = ["RunningTrainings", "Threads", "foreign_cores"]

log = logging.getLogger(__name__)

_INTERVAL = 3.0  # seconds of steps that a speed is measured over
_BUSY, _IDLE = 0.5, 0.2  # cores that other programs use: more is contention, less is none
_PATIENCE = 3  # intervals of contention before fewer threads are tried
_FASTER = 1.1
_PAUSE, _LONGEST_PAUSE = 20.0, 600.0  # seconds between two trials


class RunningTrainings:
    """The trainings that run on this machine's cores now: one locked file for each."""

    def __init__(self, folder: Path | None = None) -> None:
        user = os.getuid() if hasattr(os, "getuid") else os.getlogin()
        self.folder = folder or Path(tempfile.gettempdir()) / f"srmodels-trainings-{user}"
        self.cores = core_numbers()

    @contextmanager
    def entered(self) -> Iterator[None]:
        """Counts this process among them."""
        self.folder.mkdir(mode=0o700, exist_ok=True)
        mask = sum(1 << core for core in self.cores)
        path = self.folder / f"{os.getpid()}-{mask:x}.lock"
        with FileLock(path, timeout=5):  # who counts may hold it for a moment
            yield
        path.unlink(missing_ok=True)

    def count(self) -> int:
        """How many of them may use a core of this process, itself included; at least 1."""
        found = 0
        for path in self.folder.glob("*-*.lock"):
            pid, mask = path.stem.split("-")
            if not any(int(mask, 16) >> core & 1 for core in self.cores):
                continue
            if int(pid) == os.getpid() or self._is_locked(path):
                found += 1
        return max(1, found)

    @staticmethod
    def _is_locked(path: Path) -> bool:
        try:
            with FileLock(path, timeout=0), suppress(OSError):
                path.unlink()  # of a training that was killed
        except Timeout:
            return True
        return False


def foreign_cores(cores: Set[int]) -> Callable[[], float]:
    """A function: how many of `cores` other programs kept busy, on average since its last call.

    Linux counts it; elsewhere the function returns 0, and only other trainings are noticed.
    """
    names = {f"cpu{core}" for core in cores}

    def now() -> tuple[float, float, float]:
        ticks = 0
        with suppress(OSError, ValueError):
            for line in Path("/proc/stat").read_text().splitlines():
                name, *fields = line.split()
                if name in names:  # user, nice, system, idle, waiting, interrupts twice, stolen
                    ticks += sum(int(fields[place]) for place in (0, 1, 2, 5, 6, 7))
        per_second = os.sysconf("SC_CLK_TCK") if ticks else 1
        return ticks / per_second, time.process_time(), time.perf_counter()

    last = now()

    def foreign() -> float:
        nonlocal last
        before, last = last, now()
        busy, own, seconds = (after - start for start, after in zip(before, last, strict=True))
        return max(0.0, busy - own) / seconds if busy and seconds else 0.0

    return foreign


class Threads:
    """Sets PyTorch's number of threads at the start of a training and while it runs.

    Every few seconds: another training on the same cores, and this one takes its share; other
    programs, and half as many threads are tried; none any more, and twice as many are. What is
    tried stays where it is faster.

    Args:
        threads: A fixed number; 0 for as many as are fastest.
        trainings: Those that run on this machine.
        foreign: `foreign_cores()`.
        clock: Seconds.
        set_threads: Sets the number.
    """

    def __init__(
        self,
        threads: int,
        trainings: RunningTrainings,
        *,
        foreign: Callable[[], float] | None = None,
        clock: Callable[[], float] = time.perf_counter,
        set_threads: Callable[[int], None] = torch.set_num_threads,
    ) -> None:
        self.trainings, self.clock, self._set_threads = trainings, clock, set_threads
        self._foreign = foreign or foreign_cores(trainings.cores)
        self._busy_intervals = 0
        self.adapts = threads == 0
        self.most = threads or torch.get_num_threads()
        self.number = self.most
        self.changes: dict[str, int] = {}  # by the step from which on a number holds
        self._before_trial: tuple[int, float] | None = None  # threads and steps per second
        self._next_trial, self._pause = 0.0, _PAUSE
        self._seconds, self._steps = 0.0, 0

    def start(self, step: int) -> None:
        """Sets the number of threads before the first step."""
        self._change(self._share() if self.adapts else self.most, step)

    def _share(self) -> int:
        return max(1, self.most // self.trainings.count())

    def _change(self, number: int, step: int) -> None:
        self.number = number
        self._set_threads(number)
        if number != next(reversed(self.changes.values()), None):
            self.changes[str(step)] = number

    @contextmanager
    def timed(self) -> Iterator[None]:
        """Takes the time of a step."""
        start = self.clock()
        yield
        self._seconds += self.clock() - start
        self._steps += 1

    def update(self, step: int) -> None:
        """Changes the number of threads if there is a reason; called between two steps."""
        if not self.adapts or self._seconds < _INTERVAL:
            return
        speed, foreign, share = self._steps / self._seconds, self._foreign(), self._share()
        self._seconds, self._steps = 0.0, 0
        self._busy_intervals = self._busy_intervals + 1 if foreign > _BUSY else 0
        if self.number > share:
            log.info(
                "step %d: %d trainings run on %d cores, so this one uses %d of its %d threads",
                *(step, self.trainings.count(), len(self.trainings.cores), share, self.most),
            )
            self._before_trial = None
            self._change(share, step)
        elif self._before_trial:
            self._judge(speed, step)
        elif self.clock() >= self._next_trial:
            self._try(speed, foreign, share, step)

    def _try(self, speed: float, foreign: float, share: int, step: int) -> None:
        number = self.number
        if self._busy_intervals >= _PATIENCE:
            number = max(1, self.number // 2)
        elif foreign < _IDLE:
            number = min(share, self.number * 2)
        if number != self.number:
            self._before_trial = (self.number, speed)
            self._change(number, step)

    def _judge(self, speed: float, step: int) -> None:
        assert self._before_trial is not None
        number, before = self._before_trial
        self._before_trial = None
        kept = speed > _FASTER * before
        self._pause = _PAUSE if kept else min(2 * self._pause, _LONGEST_PAUSE)
        self._next_trial = self.clock() + self._pause
        if not kept:
            self._change(number, step)
        elif self.number < number:
            log.info(
                "step %d: other programs use the cores; %d threads are %.1f times as fast as %d. "
                "The last digits of the results change. Set run.threads to a number to fix it.",
                *(step, self.number, speed / before, number),
            )

    def state_dict(self) -> dict[str, Any]:
        """The changes so far."""
        return dict(self.changes)

    def load_state_dict(self, state: Mapping[str, Any]) -> None:
        """Restores `state_dict`."""
        self.changes = dict(state)
