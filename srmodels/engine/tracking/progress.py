"""What people see of a training: a bar on a terminal, one plain line per point elsewhere."""

import logging
import sys
import time
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager
from datetime import timedelta
from types import TracebackType
from typing import Self

from tqdm import tqdm
from tqdm.contrib.logging import logging_redirect_tqdm

from srmodels.distributed import collectives

__all__ = ["Progress"]

log = logging.getLogger(__name__)

_APART = ("learning_rate", "gradient_norm", "skipped_steps")  # on the curves; a bar is short


def _shown(means: Mapping[str, float], speed: Mapping[str, float]) -> str:
    """The losses, images/s and data wait, as a phrase."""
    losses = [f"{n} {v:.3g}" for n, v in means.items() if n.rpartition("/")[2] not in _APART]
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
    """Tells how far a training is; used in a `with`, in which log lines do not break the bar.

    Args:
        title: The stage's name.
        total: Steps of the training.
        first: Steps that were done before.
        batch_size: Images in a step, of all processes.
    """

    def __init__(self, title: str, total: int, *, first: int, batch_size: int) -> None:
        self.title, self.total, self.batch_size = title, total, batch_size
        self._first = self._step = self._marked_step = first
        self._began = self._marked = time.perf_counter()
        hidden = not (sys.stderr.isatty() and collectives.is_main_process())
        self._bar = tqdm(
            desc=title,
            total=total,
            initial=first,
            unit="step",
            smoothing=0.1,
            disable=hidden,
            dynamic_ncols=True,
        )
        self._stack = ExitStack()

    def __enter__(self) -> Self:
        """Sends log lines past the bar."""
        if not self._bar.disable:
            self._stack.enter_context(logging_redirect_tqdm())
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        """Leaves the bar as it stands."""
        self._bar.close()
        self._stack.close()

    def stepped(self) -> None:
        """Takes note of a step."""
        self._step += 1
        self._bar.update()

    @contextmanager
    def paused(self) -> Iterator[None]:
        """What happens in the block (a validation, a checkpoint) does not count as training."""
        start = time.perf_counter()
        yield
        self._marked += time.perf_counter() - start

    def speed(self, waited: float) -> dict[str, float]:
        """The speed since this was last asked: images_per_second and data_wait_share (0 to 1).

        Args:
            waited: Seconds of that time in which there was no batch to compute on.
        """
        now = time.perf_counter()
        spent = max(now - self._marked, 1e-9)
        images = (self._step - self._marked_step) * self.batch_size
        self._marked, self._marked_step = now, self._step
        return {"images_per_second": images / spent, "data_wait_share": waited / spent}

    def point(self, means: Mapping[str, float], speed: Mapping[str, float]) -> None:
        """Tells of a point of the curves: on the bar, or in a line with the time that is left."""
        text = _shown(means, speed)
        if not self._bar.disable:
            self._bar.set_postfix_str(text, refresh=False)
            return
        each = (time.perf_counter() - self._began) / max(self._step - self._first, 1)
        left = timedelta(seconds=round(each * (self.total - self._step)))
        log.info("%s %d/%d: %s, %s left", self.title, self._step, self.total, text, left)
