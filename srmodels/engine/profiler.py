"""Measures where a step's time goes: its parts and PyTorch's operators."""

import os
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from types import SimpleNamespace
from typing import Any

import torch
from torch import Tensor, nn
from torch.profiler import ProfilerActivity, profile, record_function

from srmodels.data.batches.batch import Batch
from srmodels.engine.checkpoint.rng_state import seed_all
from srmodels.engine.fabric import Fabric
from srmodels.engine.phase import Phase, degrader_of, sampler_for
from srmodels.engine.precision import fabric_for
from srmodels.engine.run_settings import RunSettings
from srmodels.engine.state import PersistentTensors, State
from srmodels.engine.step import take_step
from srmodels.objectives.turn import Losses, Shared, Turn

_WARM_UP = 3  # uncounted steps, which choose kernels and fill caches
_OPERATORS = 12
_PREFIX = "step/"  # of our own parts among PyTorch's


@dataclass(frozen=True, kw_only=True)
class Profile:
    """A profile of some steps."""

    # milliseconds per step: "data", "PLAYER forward", "PLAYER backward", "PLAYER optimizer", and
    # "the rest": checks, norms, clipping
    parts: Mapping[str, float]
    operators: str  # PyTorch's table of the slowest operators

    def table(self) -> str:
        """Both as text."""
        total = sum(self.parts.values())
        width = max(map(len, self.parts))
        lines = [
            f"{name.ljust(width)}  {spent:9.2f} ms  {spent / total:6.1%}"
            for name, spent in self.parts.items()
        ]
        last = f"{'a step'.ljust(width)}  {total:9.2f} ms"
        return "\n".join([*lines, last, "", self.operators])


@contextmanager
def _part(name: str, device: torch.device) -> Iterator[None]:
    with record_function(_PREFIX + name):
        yield
        if device.type == "cuda":  # or the time would count where the next synchronisation is
            torch.cuda.synchronize(device)


def _timed(
    fabric: Fabric, turns: Sequence[Turn], optimizers: Mapping[str, torch.optim.Optimizer]
) -> tuple[Any, list[Turn], Any]:
    """Stand-ins for the arguments of `take_step` that time forward, backward and optimizer."""
    device, player = fabric.device, ""

    def backward(tensor: Tensor) -> None:
        with _part(f"{player} backward", device):
            fabric.backward(tensor)

    def timed_turn(turn: Turn) -> Turn:
        def losses(batch: Batch, shared: Shared) -> Losses:
            nonlocal player
            player = turn.player
            with _part(f"{player} forward", device):
                return turn.losses(batch, shared)

        return replace(turn, losses=losses)

    def timed_optimizer(name: str, optimizer: torch.optim.Optimizer) -> SimpleNamespace:
        def step() -> None:
            with _part(f"{name} optimizer", device):
                optimizer.step()

        unwrapped = getattr(optimizer, "optimizer", optimizer)
        return SimpleNamespace(optimizer=unwrapped, zero_grad=optimizer.zero_grad, step=step)

    return (
        SimpleNamespace(strategy=fabric.strategy, backward=backward),
        [timed_turn(turn) for turn in turns],
        {name: timed_optimizer(name, optimizer) for name, optimizer in optimizers.items()},
    )


def profile_steps(
    fabric: Fabric,
    turns: Sequence[Turn],
    optimizers: Mapping[str, torch.optim.Optimizer],
    batch_of: Callable[[int], Batch],
    *,
    steps: int = 20,
) -> Profile:
    """Profiles `steps` steps of `take_step` after a warm-up; the players move.

    `batch_of` makes a step's batch on the device.
    """
    device = fabric.device
    timed = _timed(fabric, turns, optimizers)
    persistent = PersistentTensors(device)

    def take(step: int) -> None:
        with _part("data", device):
            batch = batch_of(step)
        shared = {"step": torch.tensor(step), **persistent.tensors}
        take_step(*timed, batch, shared=shared)
        persistent.update(shared)

    for step in range(_WARM_UP):
        take(step)
    os.environ.setdefault("KINETO_LOG_LEVEL", "5")  # hides messages about missing GPUs
    cuda = [ProfilerActivity.CUDA] if device.type == "cuda" else []
    with profile(activities=[ProfilerActivity.CPU, *cuda]) as profiled:
        for step in range(_WARM_UP, _WARM_UP + steps):
            with _part("total", device):
                take(step)
    averages = profiled.key_averages()
    parts = {
        event.key.removeprefix(_PREFIX): event.cpu_time_total / 1000 / steps
        for event in averages
        if event.key.startswith(_PREFIX)
    }
    total = parts.pop("total")
    parts["the rest"] = max(0.0, total - sum(parts.values()))
    order = "self_cuda_time_total" if cuda else "self_cpu_time_total"
    return Profile(parts=parts, operators=averages.table(sort_by=order, row_limit=_OPERATORS))


def profile_phase(
    phase: Phase,
    networks: Callable[[], Mapping[str, nn.Module]],
    turns_of: Callable[[Mapping[str, nn.Module], torch.device], Sequence[Turn]],
    *,
    run: RunSettings,
    steps: int = 20,
) -> Profile:
    """Profiles the first steps of `train_phase` with the same arguments; writes nothing.

    Batches are made in the step, so "data" is their whole cost, although a training on a GPU makes
    them one step ahead.
    """
    fabric = fabric_for(run, phase.settings.precision)
    seed_all(phase.seed)
    source, degrade = sampler_for(phase), degrader_of(phase)
    state = State(
        fabric,
        networks(),
        lambda wrapped: turns_of(wrapped, fabric.device),
        phase.settings,
        keep_best=None,
    )

    def batch_of(step: int) -> Batch:
        batch = source.batch(step)
        lr, hr = (images.to(fabric.device) for images in (batch.lr, batch.hr))
        return Batch(lr=degrade(hr, step) if degrade else lr, hr=hr, photos=batch.photos)

    return profile_steps(fabric, state.turns, state.optimizers, batch_of, steps=steps)
