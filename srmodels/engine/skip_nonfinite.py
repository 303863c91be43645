"""What becomes of a step whose losses or gradients are not finite: an end, or a step left out."""

import logging
from collections.abc import Mapping, Sequence
from pathlib import Path

import torch
from torch import Tensor, nn

from srmodels.engine.step import OverflowedError
from srmodels.errors import NonFiniteError

__all__ = ["BufferBackup", "NonFiniteHandler"]

log = logging.getLogger(__name__)

_OVERFLOWS = 30  # of float16 in a row: a scale that has been halved so often is not at fault


class NonFiniteHandler:
    """Counts the steps that were left out, and ends the training at one too many in a row.

    Args:
        limit: How many in a row may be; 0 ends it at the first.

    Attributes:
        total: How many there were.
    """

    def __init__(self, limit: int) -> None:
        self.limit = limit
        self.total = 0
        self._in_row = 0

    def passed(self) -> None:
        """Takes note of a good step."""
        self._in_row = 0

    def skip(self, step: int, error: NonFiniteError, photos: Sequence[str], *, good: Path) -> None:
        """Leaves a step out.

        Args:
            step: Its number, from 1.
            error: What was not finite.
            photos: What its batch was cut from.
            good: The last checkpoint.

        Raises:
            NonFiniteError: It is one too many.
        """
        names = ", ".join(sorted(set(photos)))
        overflowed = isinstance(error, OverflowedError)
        limit = max(self.limit, _OVERFLOWS) if overflowed else self.limit
        if self._in_row >= limit:
            row = f", {self._in_row + 1} steps in a row" if limit else ""
            raise NonFiniteError(
                f"step {step}: {error}{row}; no parameter has moved. The batch came from {names}. "
                f"The last good state is {good}; "
                "a lower learning_rate or a clip_norm usually helps"
            ) from None
        self._in_row += 1
        self.total += 1
        log.log(
            logging.DEBUG if overflowed else logging.WARNING,  # a scale begins too large on purpose
            "step %d: %s; the step is skipped (%d in a row, at most %d), no parameter has moved. "
            "The batch came from %s",
            *(step, error, self._in_row, limit, names),
        )

    def state(self) -> dict[str, int]:
        """What a checkpoint keeps: plain numbers."""
        return {"total": self.total, "in_row": self._in_row}

    def load(self, state: Mapping[str, int]) -> None:
        """Goes on from what `state` gave."""
        self.total, self._in_row = state["total"], state["in_row"]


class BufferBackup:
    """A copy of networks' buffers: a forward pass moves batch-norm statistics before any check."""

    def __init__(self, networks: Sequence[nn.Module]) -> None:
        self._live: list[Tensor] = [each for network in networks for each in network.buffers()]
        self._kept = [torch.empty_like(each) for each in self._live]

    @torch.no_grad()
    def keep(self) -> None:
        """Copies them."""
        for kept, live in zip(self._kept, self._live, strict=True):
            kept.copy_(live)

    @torch.no_grad()
    def put_back(self) -> None:
        """Undoes what has happened to them since."""
        for kept, live in zip(self._kept, self._live, strict=True):
            live.copy_(kept)
