"""The parts of an objective: turns, each of which says which networks minimise which losses."""

from collections.abc import Callable
from dataclasses import dataclass

from torch import Tensor, nn

from srmodels.data.batches.batch import Batch

PERSISTENT = "persistent/"
AVERAGE = "average"
"""Among the networks that an objective gets by role: the generator's moving average, in eval mode
and frozen, as it is before the step. It is no player."""

Losses = dict[str, Tensor]
"""Weighted scalar terms by name; their sum is minimised."""

Shared = dict[str, Tensor]
"""Detached tensors that a turn leaves for later turns; the engine logs the scalars.

The engine sets "step", counted from 0. Names that begin with "persistent/" are still there in the
next step and after a resume.
"""


@dataclass(frozen=True, slots=True)
class Turn:
    """One player's part of a step.

    A turn neither calls an optimizer nor freezes anything. The engine lets gradients reach the
    parameters of `networks` only, so a generator's turn may run a discriminator.
    """

    player: str  # the player's name; each player has one optimizer
    networks: tuple[nn.Module, ...]  # the networks whose parameters are trained
    # computes the terms from a batch and the shared tensors
    losses: Callable[[Batch, Shared], Losses]
