"""One training step: schedule, gradients, update, averages; or a skipped step."""

from pathlib import Path

import torch

from srmodels.data.batches.batch import Batch
from srmodels.engine.optim.optim import learning_rate_at, set_rate
from srmodels.engine.settings import TrainSettings
from srmodels.engine.state import State
from srmodels.engine.step import take_step
from srmodels.errors import NonFiniteError


def advance(state: State, batch: Batch, settings: TrainSettings, *, checkpoint: Path) -> None:
    """Takes a step, or skips it where a value is not finite and `on_nan` is "skip".

    A skipped step changes no parameter, no buffer, no average and no mean, but counts as a step.

    Raises:
        NonFiniteError: A loss or a gradient is not finite, and the training must end; names the
            last checkpoint.
    """
    rate = learning_rate_at(state.step, settings.steps, settings.optimizer)
    for optimizer in state.optimizers.values():
        set_rate(optimizer, rate)
    backup = state.buffer_backup
    persistent = state.persistent.clone() if backup else state.persistent.tensors
    # without skipped steps, so that an objective sees its first step as step 0
    shared = {"step": torch.tensor(state.step - state.nonfinite.total), **persistent}
    if backup:
        backup.save()
    try:
        scalars = take_step(
            state.fabric,
            state.turns,
            state.optimizers,
            batch,
            shared=shared,
            clip_norm=settings.optimizer.clip_norm,
            parts=settings.accumulate,
        )
    except NonFiniteError as error:
        state.nonfinite.skip(state.step + 1, error, batch.photos, checkpoint=checkpoint)
        if backup:
            backup.restore()
    else:
        state.nonfinite.reset()
        state.persistent.update(shared)
        state.ema.update(state.networks["generator"], state.step)
        state.running_means.add(scalars | {"learning_rate": torch.tensor(rate)})
    state.step += 1
