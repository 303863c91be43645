"""One step of any objective: freeze, forward, check, backward, check, clip, move.

All players' gradients are computed and checked before any player moves. A turn only reads what
earlier turns left in the memo (detached), so this equals moving them one after the other, and a NaN
anywhere leaves every parameter where it was.

Of several processes each computes the gradients of its part of the batch, and one exchange before
anybody moves averages them and all scalars: exact, as the batch's loss is the mean of its parts'.
Wrapping networks in DistributedDataParallel instead would exchange a network's gradients whenever a
backward pass crosses it, also a frozen one's, and would want a reducer for each set of players.
"""

from collections.abc import Mapping, Sequence

import torch
from torch import Tensor, nn

from srmodels.data.batches.batch import Batch
from srmodels.distributed import collectives
from srmodels.engine.fabric import Fabric
from srmodels.engine.precision import unscale
from srmodels.errors import NonFiniteError
from srmodels.objectives.turn import Losses, Memo, Turn

__all__ = ["OverflowedError", "freeze_all_but", "take_step"]


class OverflowedError(NonFiniteError):
    """A gradient was too large for float16 as it was scaled; the next step's scale is smaller."""


def freeze_all_but(networks: Sequence[nn.Module], turns: Sequence[Turn]) -> None:
    """Lets gradients reach the parameters of `networks` and of no other network of `turns`."""
    for turn in turns:
        for network in turn.networks:
            network.requires_grad_(requires_grad=False)
    for network in networks:
        network.requires_grad_()


def _descended(fabric: Fabric, turn: Turn, batch: Batch, memo: Memo) -> tuple[Losses, Tensor]:
    """Leaves a turn's gradients in its networks; returns its terms and their sum, detached."""
    losses = turn.losses(batch, memo)
    total = torch.stack(list(losses.values())).sum()
    fabric.backward(total)
    return {name: value.detach() for name, value in losses.items()}, total.detach()


def _parameters(turn: Turn) -> list[nn.Parameter]:
    return [each for network in turn.networks for each in network.parameters()]


def _averaged(turns: Sequence[Turn], scalars: Sequence[Tensor]) -> None:
    """Makes gradients and scalars those of the whole batch, where processes share it."""
    if collectives.world_size() == 1:
        return
    gradients = [p.grad for turn in turns for p in _parameters(turn) if p.grad is not None]
    collectives.average_([*gradients, *scalars])


def _norm(turn: Turn) -> Tensor:
    """The L2 norm of the turn's gradient."""
    gradients = [each.grad for each in _parameters(turn) if each.grad is not None]
    return torch.nn.utils.get_total_norm(gradients)


def _check(
    turns: Sequence[Turn],
    losses: Sequence[Losses],
    totals: Sequence[Tensor],
    norms: Sequence[Tensor],
    *,
    scaled: bool,
) -> None:
    """Refuses what is not finite; the host waits for the device once, whatever is in there."""
    if torch.isfinite(torch.stack([each.float() for each in (*totals, *norms)])).all():
        return
    for turn, terms, total in zip(turns, losses, totals, strict=True):
        if not torch.isfinite(total):
            bad = [name for name, value in terms.items() if not torch.isfinite(value)]
            raise NonFiniteError(f"the loss {turn.player}/{', '.join(bad) or 'sum'} is not finite")
    pairs = zip(turns, norms, strict=True)
    player = next(turn.player for turn, norm in pairs if not torch.isfinite(norm))
    kind = OverflowedError if scaled else NonFiniteError
    raise kind(f"the gradient of {player} is not finite")


def take_step(
    fabric: Fabric,
    turns: Sequence[Turn],
    optimizers: Mapping[str, torch.optim.Optimizer],
    batch: Batch,
    *,
    memo: Memo,
    clip_norm: float = 0.0,
) -> dict[str, Tensor]:
    """Moves every player once.

    Args:
        fabric: Scales and runs the backward passes.
        turns: Whose losses are computed, in this order.
        optimizers: One for each player of `turns`.
        batch: LR and HR, (N, 3, H, W) float32 in [0, 1]; this process's part of them.
        memo: What the turns find: "step", and what the step before left under "kept/". It changes.
        clip_norm: Largest L2 norm of a player's gradient; longer ones are shortened; 0 means none.

    Returns:
        Scalars by name, detached: "player/term", "player/gradient_norm" (before clipping) and what
        the turns left as scalars in the memo; with a single player its name is left out. All are
        those of the whole batch.

    Raises:
        NonFiniteError: A loss or gradient is NaN or infinite; no parameter has moved.
        OverflowedError: Only the gradient is, and the loss was scaled for float16.
    """
    for optimizer in optimizers.values():
        optimizer.zero_grad(set_to_none=True)
    losses, totals = [], []
    for turn in turns:
        freeze_all_but(turn.networks, turns)
        terms, total = _descended(fabric, turn, batch, memo)
        losses.append(terms)
        totals.append(total)
    told = {n: v for n, v in memo.items() if v.ndim == 0 and n != "step" and n[:5] != "kept/"}
    _averaged(turns, [*(v for each in losses for v in each.values()), *totals, *told.values()])
    scaled = [unscale(fabric, optimizers[turn.player]) for turn in turns]
    norms = [_norm(turn) for turn in turns]
    _check(turns, losses, totals, norms, scaled=any(scaled))
    for turn, norm in zip(turns, norms, strict=True):
        if clip_norm:
            torch.nn.utils.clip_grads_with_norm_(_parameters(turn), clip_norm, norm)
        optimizers[turn.player].step()
    prefixes = [f"{turn.player}/" if len(turns) > 1 else "" for turn in turns]
    scalars = {
        prefix + name: value
        for prefix, terms in zip(prefixes, losses, strict=True)
        for name, value in terms.items()
    }
    scalars |= {
        f"{prefix}gradient_norm": norm for prefix, norm in zip(prefixes, norms, strict=True)
    }
    return scalars | told
