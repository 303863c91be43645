"""What an objective is made of: turns, which say who moves and what they descend.

A turn touches no optimizer and freezes nothing: while it is taken, the engine lets gradients reach
the parameters of its `networks` only. That is why a generator's turn may run a discriminator, whose
gradient passes through, without moving it.
"""

from collections.abc import Callable
from dataclasses import dataclass

from torch import Tensor, nn

from srmodels.data.batches.batch import Batch

__all__ = ["Losses", "Memo", "Turn"]

Losses = dict[str, Tensor]
"""Terms by name, scalars, already weighted; their sum is descended."""

Memo = dict[str, Tensor]
"""What one turn leaves for the next, detached; the engine tracks the scalars in it.

It holds "step", counted from 0, and what the step before left under names that begin with "kept/":
those outlive the step and a restart.
"""


@dataclass(frozen=True, slots=True)
class Turn:
    """One player's part of a step.

    Attributes:
        player: The player's name; there is one optimizer for each.
        networks: Whose parameters move; all others are frozen.
        losses: From a batch and the memo to the named terms.
    """

    player: str
    networks: tuple[nn.Module, ...]
    losses: Callable[[Batch, Memo], Losses]
