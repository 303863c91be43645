"""Whether a batch fits into the device: said before the first step, and again where it did not."""

import logging
from collections.abc import Iterator
from contextlib import contextmanager

import torch

from srmodels.data.batch import Batch
from srmodels.engine.memory import Memory, measure, too_large
from srmodels.engine.settings import TrainSettings
from srmodels.engine.state import State

__all__ = ["Fitting"]

log = logging.getLogger(__name__)


class Fitting:
    """The memory a training needs, measured by a dry step on three samples of its first batch.

    Args:
        settings: Batch and parts.
    """

    def __init__(self, settings: TrainSettings) -> None:
        self._at_once = settings.batch_size // settings.accumulate
        self._memory: Memory | None = None

    def look(self, state: State, batch: Batch) -> None:
        """Measures and tells, where a batch has three samples or more; the state stays."""
        if len(batch.lr) < 3:
            return
        kept = {name: each.clone() for name, each in state.kept.items()}
        self._memory = measure(state.networks, state.turns, batch, kept)
        log.info("%s", self._memory.story(self._at_once))

    @contextmanager
    def watched(self, device: torch.device) -> Iterator[None]:
        """Where the device's memory does not suffice, says which batch would fit.

        Raises:
            TrainingError: It did not.
        """
        try:
            yield
        except torch.OutOfMemoryError:
            if self._memory is None:
                raise
            available = torch.cuda.get_device_properties(device).total_memory
            raise too_large(self._memory, self._at_once, available) from None
