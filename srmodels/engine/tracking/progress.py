"""The progress of a training: a bar on a terminal, one log line per point elsewhere."""

import logging
import sys
import time
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager
from datetime import timedelta
from typing import Self

from tqdm import tqdm
from tqdm.contrib.logging import logging_redirect_tqdm

from srmodels.distributed import collectives

__all__ = ["Progress"]

log = logging.getLogger(__name__)

_HIDDEN = ("learning_rate", "gradient_norm", "skipped_steps")  # in the curves only, to save space


def _summary(means: Mapping[str, float], speed: Mapping[str, float]) -> str:
    losses = [f"{n} {v:.3g}" for n, v in means.items() if n.rpartition("/")[2] not in _HIDDEN]
    skipped = means.get("skipped_steps", 0.0)
    return ", ".join(
        [
            *losses,
            f"{speed['images_per_second']:.0f} images/s",
            f"data wait {speed['data_wait_share']:.0%}",
            *([f"{skipped:.0f} steps skipped so far"] if skipped else []),
        ]
    )


class Progress:
    """Shows progress; a context manager, inside which log lines do not break the bar.

    Args:
        title: The stage's name.
        total: Steps of the training.
        first: Steps done before.
        batch_size: Images per step, of all processes.
    """

    def __init__(self, title: str, total: int, first: int, batch_size: int) -> None:
        self.title, self.total, self.batch_size = title, total, batch_size
        self._first = self._step = self._last_step = first
        self._start = self._last_time = time.perf_counter()
        self._bar = tqdm(
            desc=title,
            total=total,
            initial=first,
            unit="step",
            smoothing=0.1,
            disable=not (sys.stderr.isatty() and collectives.is_main_process()),
            dynamic_ncols=True,
        )
        self._stack = ExitStack()

    def __enter__(self) -> Self:
        if not self._bar.disable:
            self._stack.enter_context(logging_redirect_tqdm())
        return self

    def __exit__(self, *_: object) -> None:
        self._bar.close()
        self._stack.close()

    def step(self) -> None:
        """Counts a step."""
        self._step += 1
        self._bar.update()

    @contextmanager
    def paused(self) -> Iterator[None]:
        """Excludes the time in the block (a validation, a checkpoint) from the speed."""
        start = time.perf_counter()
        yield
        self._last_time += time.perf_counter() - start

    def speed(self, waited: float) -> dict[str, float]:
        """images_per_second and, from seconds `waited`, data_wait_share since the last call."""
        now = time.perf_counter()
        seconds = max(now - self._last_time, 1e-9)
        images = (self._step - self._last_step) * self.batch_size
        self._last_time, self._last_step = now, self._step
        return {"images_per_second": images / seconds, "data_wait_share": waited / seconds}

    def log(self, means: Mapping[str, float], speed: Mapping[str, float]) -> None:
        """Shows losses and speed on the bar, or logs them with the remaining time."""
        text = _summary(means, speed)
        if not self._bar.disable:
            self._bar.set_postfix_str(text, refresh=False)
            return
        step_seconds = (time.perf_counter() - self._start) / max(self._step - self._first, 1)
        left = timedelta(seconds=round(step_seconds * (self.total - self._step)))
        log.info("%s %d/%d: %s, %s left", self.title, self._step, self.total, text, left)
