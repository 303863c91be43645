"""From one state of a training to the next: a step that every player takes, or none does."""

from pathlib import Path

import torch

from srmodels.data.batches.batch import Batch
from srmodels.engine.accumulate import take_step_in_parts
from srmodels.engine.optim.optim import learning_rate_at, set_rate
from srmodels.engine.settings import TrainSettings
from srmodels.engine.state import State
from srmodels.errors import NonFiniteError
from srmodels.objectives.turn import Memo

__all__ = ["advance"]


def _memo(state: State) -> Memo:
    """What the turns find; a copy where the step may have to be undone, as turns write into it."""
    kept = {n: v.clone() for n, v in state.kept.items()} if state.buffers else state.kept
    # objectives count the steps that were taken: what they keep begins with their first
    return {"step": torch.tensor(state.step - state.skips.total), **kept}


def advance(state: State, batch: Batch, settings: TrainSettings, *, good: Path) -> None:
    """Takes a step, or skips it where it is not finite and the settings say so.

    A skipped step moves no parameter and no buffer, and enters no average and no mean.

    Args:
        state: It changes; its step is one more in the end.
        batch: On the device.
        settings: Steps, optimizer.
        good: The last checkpoint, for the error.

    Raises:
        NonFiniteError: A loss or a gradient is not finite, and this ends the training.
    """
    rate = learning_rate_at(state.step, settings.steps, settings.optimizer)
    for optimizer in state.optimizers.values():
        set_rate(optimizer, rate)
    memo = _memo(state)
    if state.buffers:
        state.buffers.keep()
    try:
        scalars = take_step_in_parts(
            state.fabric,
            state.turns,
            state.optimizers,
            batch,
            memo=memo,
            parts=settings.accumulate,
            clip_norm=settings.optimizer.clip_norm,
        )
    except NonFiniteError as error:
        state.skips.skip(state.step + 1, error, batch.photos, good=good)
        if state.buffers:
            state.buffers.put_back()
    else:
        state.skips.passed()
        state.kept = {name: each for name, each in memo.items() if name.startswith("kept/")}
        state.average.update(state.networks["generator"], state.step)
        state.tally.add(scalars | {"learning_rate": torch.tensor(rate)})
    state.step += 1
