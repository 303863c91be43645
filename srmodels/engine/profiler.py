"""Measures where a step's time goes: its parts and PyTorch's operators."""

import os
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace

import torch
from torch import nn
from torch.profiler import ProfilerActivity, profile

from srmodels.data.batches.batch import Batch
from srmodels.engine.fabric import Fabric
from srmodels.engine.phase import Phase, lr_maker, set_up
from srmodels.engine.precision import fabric_for
from srmodels.engine.settings import RunSettings
from srmodels.engine.state import PersistentTensors, TurnsOf
from srmodels.engine.step import PROFILED, profiled, take_step
from srmodels.objectives.turn import Turn

_WARM_UP = 3  # uncounted steps, which choose kernels and fill caches
_OPERATORS = 12


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
            f"{name:{width}}  {spent:9.2f} ms  {spent / total:6.1%}"
            for name, spent in {**self.parts, "a step": total}.items()
        ]
        return "\n".join([*lines, "", self.operators])


def profile_steps(
    fabric: Fabric,
    turns: Sequence[Turn],
    optimizers: Mapping[str, torch.optim.Optimizer],
    batch_of: Callable[[int], Batch],
    *,
    steps: int = 20,
) -> Profile:
    """Profiles `steps` steps, after a warm-up; `batch_of` makes a batch on the device."""
    device = fabric.device
    persistent = PersistentTensors(device)

    def take(step: int) -> None:
        with profiled("data", device):
            batch = batch_of(step)
        shared = {"step": torch.tensor(step), **persistent.tensors}
        take_step(fabric, turns, optimizers, batch, shared=shared)
        persistent.update(shared)

    for step in range(_WARM_UP):
        take(step)
    os.environ.setdefault("KINETO_LOG_LEVEL", "5")  # hides messages about missing GPUs
    cuda = [ProfilerActivity.CUDA] if device.type == "cuda" else []
    with profile(activities=[ProfilerActivity.CPU, *cuda]) as events:
        for step in range(_WARM_UP, _WARM_UP + steps):
            with profiled("total", device):
                take(step)
    averages = events.key_averages()
    parts = {
        event.key.removeprefix(PROFILED): event.cpu_time_total / 1000 / steps
        for event in averages
        if event.key.startswith(PROFILED)
    }
    total = parts.pop("total")
    parts["the rest"] = max(0.0, total - sum(parts.values()))
    order = "self_cuda_time_total" if cuda else "self_cpu_time_total"
    return Profile(parts=parts, operators=averages.table(sort_by=order, row_limit=_OPERATORS))


def profile_phase(
    phase: Phase,
    networks: Callable[[], Mapping[str, nn.Module]],
    turns_of: TurnsOf,
    *,
    run: RunSettings,
) -> Profile:
    """Profiles the first steps of `train_phase`; batches are made in the step; writes nothing."""
    fabric = fabric_for(run, phase.settings.precision)
    make_lr = lr_maker(phase)
    source, state = set_up(fabric, phase, networks, turns_of)

    def batch_of(step: int) -> Batch:
        batch = source.batch(step)
        lr, hr = (images.to(fabric.device) for images in (batch.lr, batch.hr))
        drawn = Batch(lr=lr, hr=hr, photos=batch.photos)
        return replace(drawn, lr=make_lr(drawn, step)) if make_lr else drawn

    return profile_steps(fabric, state.turns, state.optimizers, batch_of)
