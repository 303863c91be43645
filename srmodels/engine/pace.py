"""When a training saves: often enough that a kill costs little, seldom enough to cost little."""

import time

from srmodels.engine.run_settings import RunSettings

__all__ = ["Pace"]

_SHARE = 20  # by time, a checkpoint may cost at most one part in so many


class Pace:
    """The steps and seconds since the last checkpoint.

    Args:
        run: `checkpoint_seconds` and `checkpoint_steps`; whichever comes first.
    """

    def __init__(self, run: RunSettings) -> None:
        self._run = run
        self._saved = time.perf_counter()
        self._cost = 0.0

    def due(self, step: int) -> bool:
        """Whether to save after `step` steps."""
        if self._run.checkpoint_steps and step % self._run.checkpoint_steps == 0:
            return True
        pause = max(self._run.checkpoint_seconds, _SHARE * self._cost)
        return time.perf_counter() - self._saved >= pause

    def saved(self, seconds: float) -> None:
        """Takes note of a checkpoint and of what it cost."""
        self._saved = time.perf_counter()
        self._cost = seconds
