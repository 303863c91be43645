"""A step in parts, where a batch is too large for the memory: their gradients are added up."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

import torch
from torch import Tensor

from srmodels.data.batches.batch import Batch
from srmodels.engine.fabric import Fabric
from srmodels.engine.step import take_step
from srmodels.objectives.turn import Losses, Memo, Turn

__all__ = ["take_step_in_parts"]


class _Held:
    """Stands for an optimizer between the first and the last part: it neither clears nor moves."""

    def __init__(self, optimizer: torch.optim.Optimizer, *, clears: bool, moves: bool) -> None:
        self._optimizer, self._clears, self._moves = optimizer, clears, moves

    def zero_grad(self, *, set_to_none: bool = True) -> None:
        """Forgets gradients before the first part."""
        if self._clears:
            self._optimizer.zero_grad(set_to_none=set_to_none)

    def step(self) -> None:
        """Moves after the last part."""
        if self._moves:
            self._optimizer.step()


def _lighter(turn: Turn, share: float) -> Turn:
    """The turn, its terms multiplied by a share, so that those of all parts sum to their mean."""

    def losses(batch: Batch, memo: Memo) -> Losses:
        return {name: share * value for name, value in turn.losses(batch, memo).items()}

    return replace(turn, losses=losses)


def _part(batch: Batch, first: int, size: int) -> Batch:
    rows = slice(first, first + size)
    return Batch(lr=batch.lr[rows], hr=batch.hr[rows], photos=batch.photos[rows])


def take_step_in_parts(
    fabric: Fabric,
    turns: Sequence[Turn],
    optimizers: Mapping[str, torch.optim.Optimizer],
    batch: Batch,
    *,
    memo: Memo,
    parts: int,
    clip_norm: float = 0.0,
) -> dict[str, Tensor]:
    """`take_step` on one part of the batch after the other; every player moves once, at the end.

    Equal to the whole batch, but for rounding, where losses are means over samples. Batch norm's
    statistics, a relativistic loss's mean and an ensemble's shares are those of a part. Not for
    float16's scaled loss.

    Args:
        fabric: As for `take_step`, without a loss scale.
        turns: As for `take_step`.
        optimizers: As for `take_step`.
        batch: As for `take_step`.
        memo: As for `take_step`; what a part leaves in it, the next one finds.
        parts: How many equal parts; a divisor of the batch's size.
        clip_norm: As for `take_step`, of the whole gradient.

    Returns:
        As `take_step`: terms summed over the parts, the norm of the whole gradient, and the means
        of what the turns left as scalars in the memo.

    Raises:
        NonFiniteError: As `take_step`, in any part; no parameter has moved.
    """
    count = len(batch.lr)
    assert count % parts == 0, f"there are no {parts} equal parts of {count} samples"
    if parts == 1:
        return take_step(fabric, turns, optimizers, batch, memo=memo, clip_norm=clip_norm)
    lighter = [_lighter(turn, 1 / parts) for turn in turns]
    scalars: dict[str, Tensor] = {}
    for part in range(parts):
        last = part == parts - 1
        held: Any = {
            player: _Held(each, clears=part == 0, moves=last) for player, each in optimizers.items()
        }
        few = _part(batch, part * count // parts, count // parts)
        told = take_step(fabric, lighter, held, few, memo=memo, clip_norm=clip_norm * last)
        for name, value in told.items():
            if name.endswith("gradient_norm"):
                scalars[name] = value
            else:
                share = 1 / parts if name in memo else 1
                scalars[name] = scalars.get(name, torch.zeros_like(value)) + share * value
    return scalars
