"""One step of any objective: freeze, forward, check, backward, check, clip, move.

All players' gradients are computed and checked before any player moves. A turn only reads what
earlier turns left in the memo (detached), so this equals moving them one after the other, and a NaN
anywhere leaves every parameter where it was.
"""

from collections.abc import Mapping, Sequence

import torch
from lightning_fabric import Fabric
from torch import Tensor, nn

from srmodels.data.source import Batch
from srmodels.errors import NonFiniteError
from srmodels.objectives.turn import Losses, Memo, Turn

__all__ = ["freeze_all_but", "take_step"]


def freeze_all_but(networks: Sequence[nn.Module], turns: Sequence[Turn]) -> None:
    """Lets gradients reach the parameters of `networks` and of no other network of `turns`."""
    for turn in turns:
        for network in turn.networks:
            network.requires_grad_(requires_grad=False)
    for network in networks:
        network.requires_grad_()


def _gradients(fabric: Fabric, turn: Turn, batch: Batch, memo: Memo) -> Losses:
    """Leaves the gradients of one turn in its networks; returns its detached terms."""
    losses = turn.losses(batch, memo)
    total = torch.stack(list(losses.values())).sum()
    if not torch.isfinite(total):
        bad = [name for name, value in losses.items() if not torch.isfinite(value)]
        raise NonFiniteError(f"the loss {turn.player}/{', '.join(bad) or 'sum'} is not finite")
    fabric.backward(total)
    return {name: value.detach() for name, value in losses.items()}


def _checked_norm(turn: Turn, clip_norm: float) -> Tensor:
    """The L2 norm of the turn's gradient before it is clipped to `clip_norm` (0: not clipped)."""
    parameters = [each for network in turn.networks for each in network.parameters()]
    norm = torch.nn.utils.get_total_norm([p.grad for p in parameters if p.grad is not None])
    if not torch.isfinite(norm):
        raise NonFiniteError(f"the gradient of {turn.player} is not finite")
    if clip_norm:
        torch.nn.utils.clip_grads_with_norm_(parameters, clip_norm, norm)
    return norm


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
        batch: LR and HR, (N, 3, H, W) float32 in [0, 1].
        memo: What the turns find: "step", and what the step before left under "kept/". It changes.
        clip_norm: Largest gradient norm; 0 means none.

    Returns:
        Scalars by name, detached: "player/term", "player/gradient_norm" and what the turns left as
        scalars in the memo; with a single player its name is left out.

    Raises:
        NonFiniteError: A loss or gradient is NaN or infinite; no parameter has moved.
    """
    scalars: dict[str, Tensor] = {}
    for optimizer in optimizers.values():
        optimizer.zero_grad(set_to_none=True)
    for turn in turns:
        freeze_all_but(turn.networks, turns)
        prefix = f"{turn.player}/" if len(turns) > 1 else ""
        for name, value in _gradients(fabric, turn, batch, memo).items():
            scalars[prefix + name] = value
    for turn in turns:
        prefix = f"{turn.player}/" if len(turns) > 1 else ""
        scalars[f"{prefix}gradient_norm"] = _checked_norm(turn, clip_norm)
    for turn in turns:
        optimizers[turn.player].step()
    told = {n: v for n, v in memo.items() if v.ndim == 0 and n != "step" and n[:5] != "kept/"}
    return scalars | told
