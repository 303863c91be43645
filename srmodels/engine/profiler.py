"""Where a step's time goes: some steps of a training, part by part, and PyTorch's operators."""

import os
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
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
from srmodels.engine.state import State
from srmodels.engine.step import take_step
from srmodels.objectives.turn import Losses, Memo, Turn

__all__ = ["Profile", "profile_phase", "profile_steps"]

_WARM_UP = 3  # steps that are not counted: they choose kernels and fill caches
_OPERATORS = 12
_PREFIX = "step/"  # of our own parts among PyTorch's


@dataclass(frozen=True, kw_only=True)
class Profile:
    """What was measured.

    Attributes:
        parts: Milliseconds a step by part: "data", "PLAYER forward", "PLAYER backward", "PLAYER
            optimizer", and "the rest": checks, norms, clipping.
        operators: PyTorch's table of the operators that took longest.
    """

    parts: Mapping[str, float]
    operators: str

    def table(self) -> str:
        """Both, for people."""
        whole = sum(self.parts.values())
        width = max(map(len, self.parts))
        lines = [
            f"{name.ljust(width)}  {spent:9.2f} ms  {spent / whole:6.1%}"
            for name, spent in self.parts.items()
        ]
        last = f"{'a step'.ljust(width)}  {whole:9.2f} ms"
        return "\n".join([*lines, last, "", self.operators])


@contextmanager
def _part(name: str, device: torch.device) -> Iterator[None]:
    """Times a part; a GPU is waited for, or its work would count where the next wait stands."""
    with record_function(_PREFIX + name):
        yield
        if device.type == "cuda":
            torch.cuda.synchronize(device)


class _StandIn:
    """Gives what it stands for, but for what a subclass times."""

    def __init__(self, real: Any) -> None:  # noqa: ANN401 - a Fabric or one of its optimizers
        self._real = real

    def __getattr__(self, name: str) -> Any:  # noqa: ANN401 - whatever the real one has
        return getattr(self._real, name)


class _Fabric(_StandIn):
    """Times the backward pass of whoever's turn it is."""

    player = ""

    def backward(self, tensor: Tensor) -> None:
        """Fabric's."""
        with _part(f"{self.player} backward", self.device):
            self._real.backward(tensor)

    def marked(self, turn: Turn) -> Turn:
        """The turn, its forward pass timed."""

        def losses(batch: Batch, memo: Memo) -> Losses:
            self.player = turn.player
            with _part(f"{turn.player} forward", self.device):
                return turn.losses(batch, memo)

        return replace(turn, losses=losses)


class _Optimizer(_StandIn):
    """Times its own part."""

    def __init__(self, real: torch.optim.Optimizer, player: str, device: torch.device) -> None:
        super().__init__(real)
        self._player, self._device = player, device

    def step(self) -> None:
        """The optimizer's."""
        with _part(f"{self._player} optimizer", self._device):
            self._real.step()


def profile_steps(
    fabric: Fabric,
    turns: Sequence[Turn],
    optimizers: Mapping[str, torch.optim.Optimizer],
    batch_of: Callable[[int], Batch],
    *,
    steps: int = 20,
) -> Profile:
    """Takes some steps and says what they were spent on; every player moves, so nothing is kept.

    Args:
        fabric: As for `take_step`.
        turns: As for `take_step`.
        optimizers: As for `take_step`.
        batch_of: From a step to its batch, on the device.
        steps: How many are counted, after a few that are not.
    """
    timed: Any = _Fabric(fabric)
    named = [timed.marked(turn) for turn in turns]
    moving: Any = {p: _Optimizer(each, p, fabric.device) for p, each in optimizers.items()}
    kept: Memo = {}

    def take(step: int) -> None:
        with _part("data", fabric.device):
            batch = batch_of(step)
        memo = {"step": torch.tensor(step), **kept}
        take_step(timed, named, moving, batch, memo=memo)
        kept.update({name: each for name, each in memo.items() if name.startswith("kept/")})

    for step in range(_WARM_UP):
        take(step)
    os.environ.setdefault("KINETO_LOG_LEVEL", "5")  # else it tells of GPUs that are not there
    kinds = [ProfilerActivity.CPU]
    if fabric.device.type == "cuda":
        kinds.append(ProfilerActivity.CUDA)
    with profile(activities=kinds) as found:
        for step in range(_WARM_UP, _WARM_UP + steps):
            with _part("whole", fabric.device):
                take(step)
    averages = found.key_averages()
    spent = {
        each.key.removeprefix(_PREFIX): each.cpu_time_total / 1000 / steps
        for each in averages
        if each.key.startswith(_PREFIX)
    }
    whole = spent.pop("whole")
    parts = {**spent, "the rest": max(0.0, whole - sum(spent.values()))}
    order = "self_cuda_time_total" if fabric.device.type == "cuda" else "self_cpu_time_total"
    return Profile(parts=parts, operators=averages.table(sort_by=order, row_limit=_OPERATORS))


def profile_phase(
    phase: Phase,
    networks: Callable[[], Mapping[str, nn.Module]],
    turns_of: Callable[[Mapping[str, nn.Module], torch.device], Sequence[Turn]],
    *,
    run: RunSettings,
    steps: int = 20,
) -> Profile:
    """Profiles the first steps that `train_phase` would take with the same arguments.

    Nothing is written, and a training under way keeps its state. Batches are made when they are
    wanted, so that "data" is what they cost; on a GPU a training makes them one step ahead.
    """
    fabric = fabric_for(run, phase.settings.precision)
    seed_all(phase.seed)
    source, degrade = sampler_for(phase), degrader_of(phase)
    state = State(
        fabric,
        networks(),
        lambda wrapped: turns_of(wrapped, fabric.device),
        phase.settings,
        judged=False,
    )

    def batch_of(step: int) -> Batch:
        batch = source.batch(step)
        lr, hr = (each.to(fabric.device) for each in (batch.lr, batch.hr))
        return Batch(lr=degrade(hr, step) if degrade else lr, hr=hr, photos=batch.photos)

    return profile_steps(fabric, state.turns, state.optimizers, batch_of, steps=steps)
