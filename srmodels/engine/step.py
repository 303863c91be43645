"""The gradients and updates of one step, for `Trainer.step`: forward, backward, check, clip, move.

All players' gradients are computed and checked before any player moves. Turns share detached
tensors only, so the result equals moving them one after the other, and a NaN anywhere leaves every
parameter unchanged. With several processes all gradients are averaged first, while backward still
computes others (`distributed.gradients`), which is exact, since the loss of a batch is the mean of
its parts' losses.
"""

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager

import torch
from torch import Tensor, nn
from torch.profiler import record_function

from srmodels.data.batches.batch import Batch
from srmodels.distributed import collectives
from srmodels.distributed.gradients import GradientMeans
from srmodels.engine.fabric import Fabric
from srmodels.engine.precision import unscale
from srmodels.errors import GradientOverflowError, NonFiniteError
from srmodels.objectives.turn import PERSISTENT, Losses, Shared, Turn

PROFILED = "step/"  # begins the names of a step's parts among a profile's events


@contextmanager
def profiled(name: str, device: torch.device) -> Iterator[None]:
    """Names a part of a step for the profiler, which then waits for the part's GPU kernels."""
    with record_function(PROFILED + name):
        yield
        if device.type == "cuda" and torch.autograd.profiler._is_profiler_enabled:
            torch.cuda.synchronize(device)


def freeze_all_but(networks: Sequence[nn.Module], turns: Sequence[Turn]) -> None:
    """Lets gradients reach the parameters of `networks` and of no other network of `turns`."""
    for turn in turns:
        for network in turn.networks:
            network.requires_grad_(requires_grad=False)
    for network in networks:
        network.requires_grad_()


def _parameters(turn: Turn) -> list[nn.Parameter]:
    return [parameter for network in turn.networks for parameter in network.parameters()]


def _gradients(turn: Turn) -> list[Tensor]:
    return [parameter.grad for parameter in _parameters(turn) if parameter.grad is not None]


def _sum(sums: Mapping[str, Tensor], values: Mapping[str, Tensor]) -> dict[str, Tensor]:
    return {name: sums[name] + v if name in sums else v for name, v in values.items()}


def _prefix(turn: Turn, turns: Sequence[Turn]) -> str:
    return f"{turn.player}/" if len(turns) > 1 else ""


def _check_finite(
    turns: Sequence[Turn], losses: Sequence[Losses], norms: Sequence[Tensor], *, scaled: bool
) -> None:
    """Raises NonFiniteError for the first loss or gradient that is not; one host-device sync."""
    totals = [torch.stack([*terms.values()]).sum() for terms in losses]
    if torch.isfinite(torch.stack([value.float() for value in (*totals, *norms)])).all():
        return
    for turn, terms, total in zip(turns, losses, totals, strict=True):
        if not torch.isfinite(total):
            names = [name for name, value in terms.items() if not torch.isfinite(value)]
            raise NonFiniteError(
                f"the loss {turn.player}/{', '.join(names) or 'sum'} is not finite"
            )
    pairs = zip(turns, norms, strict=True)
    player = next(turn.player for turn, norm in pairs if not torch.isfinite(norm))
    error = GradientOverflowError if scaled else NonFiniteError
    raise error(f"the gradient of {player} is not finite")


def _backward(fabric: Fabric, turn: Turn, total: Tensor, *, last: bool) -> GradientMeans | None:
    """Adds a turn's gradients; with several processes, those of the last part begin to travel."""
    with profiled(f"{turn.player} backward", fabric.device):
        if not last or collectives.world_size() == 1:
            fabric.backward(total)
            return None
        means = GradientMeans(_parameters(turn))
        with means.during_backward():
            fabric.backward(total)
    return means


def _add_gradients(
    fabric: Fabric,
    turns: Sequence[Turn],
    batch: Batch,
    shared: Shared,
    *,
    factor: float,
    last: bool,
) -> tuple[list[Losses], dict[str, Tensor], list[GradientMeans]]:
    """Adds the gradients of the terms times `factor`; returns terms by turn and shared scalars.

    And, for the `last` part of a batch, the gradients' exchanges.
    """
    losses: list[Losses] = []
    exchanges: list[GradientMeans] = []
    for turn in turns:
        freeze_all_but(turn.networks, turns)
        with profiled(f"{turn.player} forward", fabric.device):
            terms = turn.losses(batch, shared)
        if factor != 1:
            terms = {name: factor * value for name, value in terms.items()}
        total = torch.stack(list(terms.values())).sum()
        if exchange := _backward(fabric, turn, total, last=last):
            exchanges.append(exchange)
        losses.append({name: value.detach() for name, value in terms.items()})
        del terms, total  # frees the graph before the next turn
    logged = {
        name: factor * value
        for name, value in shared.items()
        if value.ndim == 0 and name != "step" and not name.startswith(PERSISTENT)
    }
    return losses, logged, exchanges


def take_step(
    fabric: Fabric,
    turns: Sequence[Turn],
    optimizers: Mapping[str, torch.optim.Optimizer],
    batch: Batch,
    *,
    shared: Shared,
    clip_norm: float = 0.0,
    parts: int = 1,
) -> dict[str, Tensor]:
    """Moves every player once; `optimizers` are by player.

    `batch` is this process's part. `shared` holds "step" and the last step's "persistent/" tensors;
    the turns update it. `clip_norm` is the largest L2 norm of a player's gradient (0: no clipping).
    To save memory, a batch is computed in `parts` equal parts whose gradients are added: equal to 1
    part, but for rounding, where losses are means over samples; batch norm, a relativistic loss and
    an ensemble use statistics of a part. Not with a loss scale.

    Returns detached scalars of the whole batch: "player/term", "player/gradient_norm" (before
    clipping) and those that the turns shared; a single player's name is left out.

    Raises:
        NonFiniteError: A loss or gradient is NaN or infinite; no parameter has moved.
        GradientOverflowError: Only a gradient is, and the loss was scaled for float16.
    """
    count = len(batch.lr)
    assert count % parts == 0, f"there are no {parts} equal parts of {count} samples"
    for optimizer in optimizers.values():
        optimizer.zero_grad(set_to_none=True)
    losses: list[Losses] = [{} for _ in turns]
    logged: dict[str, Tensor] = {}
    for part in range(parts):
        rows = slice(part * count // parts, (part + 1) * count // parts)
        samples = Batch(lr=batch.lr[rows], hr=batch.hr[rows], photos=batch.photos[rows])
        more_losses, more_logged, exchanges = _add_gradients(
            fabric, turns, samples, shared, factor=1 / parts, last=part == parts - 1
        )
        losses = [_sum(*pair) for pair in zip(losses, more_losses, strict=True)]
        logged = _sum(logged, more_logged)
    values = [value for each in losses for value in each.values()]
    scalars = collectives.MeanExchange([*values, *logged.values()])
    for exchange in exchanges:
        exchange.wait()
    scalars.wait()
    scaled = [unscale(fabric, optimizers[turn.player]) for turn in turns]
    norms = [torch.nn.utils.get_total_norm(_gradients(turn)) for turn in turns]
    _check_finite(turns, losses, norms, scaled=any(scaled))
    terms = {
        _prefix(turn, turns) + name: value
        for turn, each in zip(turns, losses, strict=True)
        for name, value in each.items()
    }
    for turn, norm in zip(turns, norms, strict=True):
        terms[f"{_prefix(turn, turns)}gradient_norm"] = norm
        if clip_norm:
            torch.nn.utils.clip_grads_with_norm_(_parameters(turn), clip_norm, norm)
        with profiled(f"{turn.player} optimizer", fabric.device):
            optimizers[turn.player].step()
    return terms | logged
