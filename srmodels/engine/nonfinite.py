"""Stops a training at a loss or gradient that is not finite, or skips that step."""

import logging
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path

import torch
from torch import nn

from srmodels.errors import GradientOverflowError, NonFiniteError

log = logging.getLogger(__name__)

_MAX_OVERFLOWS = 30  # in a row: after so many halvings, the loss scale is not the cause


class NonFiniteHandler:
    """Counts skipped steps (`total`) and raises after more than `limit` in a row."""

    def __init__(self, limit: int) -> None:
        self.limit = limit
        self.total = 0
        self._in_row = 0

    def reset(self) -> None:
        """Ends the row: a step was finite."""
        self._in_row = 0

    def skip(
        self, step: int, error: NonFiniteError, photos: Sequence[str], *, checkpoint: Path
    ) -> None:
        """Counts and logs the skipped step (from 1); a NonFiniteError if it is one too many."""
        names = ", ".join(sorted(set(photos)))
        overflow = isinstance(error, GradientOverflowError)
        limit = max(self.limit, _MAX_OVERFLOWS) if overflow else self.limit
        if self._in_row >= limit:
            row = f", {self._in_row + 1} steps in a row" if limit else ""
            raise NonFiniteError(
                f"step {step}: {error}{row}; no parameter has moved (got a batch from {names}). "
                f"Lower learning_rate or set clip_norm; the last checkpoint is {checkpoint}."
            ) from None
        self._in_row += 1
        self.total += 1
        log.log(
            logging.DEBUG if overflow else logging.WARNING,  # loss scales begin too large
            "step %d: %s; skipped without moving a parameter (%d in a row, at most %d). "
            "The batch came from %s",
            *(step, error, self._in_row, limit, names),
        )

    def state_dict(self) -> dict[str, int]:
        """Both counts."""
        return {"total": self.total, "in_row": self._in_row}

    def load_state_dict(self, state: Mapping[str, int]) -> None:
        """Restores `state_dict`."""
        self.total, self._in_row = state["total"], state["in_row"]


class BufferBackup:
    """A copy of networks' buffers: a forward pass changes batch-norm statistics."""

    def __init__(self, networks: Iterable[nn.Module]) -> None:
        self._buffers = [buffer for network in networks for buffer in network.buffers()]
        self._copies = [torch.empty_like(buffer) for buffer in self._buffers]

    @torch.no_grad()
    def save(self) -> None:
        """Copies the buffers."""
        for copy, buffer in zip(self._copies, self._buffers, strict=True):
            copy.copy_(buffer)

    @torch.no_grad()
    def restore(self) -> None:
        """Undoes all changes since `save`."""
        for copy, buffer in zip(self._copies, self._buffers, strict=True):
            buffer.copy_(copy)
