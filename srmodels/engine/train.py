"""The training loop: `Trainer.run` draws batches, calls `Trainer.step`, validates and saves.

`Trainer.step` sets the learning rate, calls `take_step` (in `step`: gradients and updates) and
moves the average.
"""

import logging
import signal
import time
from collections.abc import Callable
from contextlib import nullcontext
from typing import NoReturn

import torch
from torch import Tensor, nn

from srmodels.data.batches.batch import Batch
from srmodels.data.batches.paired import PatchSampler
from srmodels.distributed import collectives
from srmodels.engine.checkpoint.checkpoint import Checkpoints, CheckpointSchedule
from srmodels.engine.checkpoint.stop_signals import stop_requests
from srmodels.engine.memory import MemoryCheck
from srmodels.engine.optim.schedule import learning_rate_at, set_rate
from srmodels.engine.prefetch import Prefetcher
from srmodels.engine.settings import RunSettings
from srmodels.engine.state import State
from srmodels.engine.step import take_step
from srmodels.engine.threads import RunningTrainings, Threads
from srmodels.engine.tracking.progress import Progress
from srmodels.engine.tracking.record import Logger, Record
from srmodels.engine.validation import Validate
from srmodels.errors import NonFiniteError, TrainingError

log = logging.getLogger(__name__)


class Trainer:
    """One training; all processes step and stop together; rank 0 validates, writes and logs."""

    def __init__(
        self,
        state: State,
        *,
        checkpoints: Checkpoints,
        validate: Validate,
        make_lr: Callable[[Batch, int], Tensor] | None = None,
        logger: Logger,
        run: RunSettings,
    ) -> None:
        self.state, self.settings = state, state.settings
        self.checkpoints, self.validate, self.make_lr = checkpoints, validate, make_lr
        self.record = Record(checkpoints.folder, logger, steps=self.settings.steps)
        self.schedule = CheckpointSchedule(run.checkpoint_seconds, run.checkpoint_steps)
        on_cpu = state.fabric.device.type == "cpu"
        threads = run.threads or (0 if on_cpu else torch.get_num_threads())
        self.threads = state.parts["threads"] = Threads(threads, RunningTrainings())

    def resume(self) -> None:
        """Loads the last checkpoint, if there is one, and drops the curves' later rows."""
        folder, checkpoint = self.checkpoints.folder, self.checkpoints.load()
        if checkpoint is not None:
            self.state.load_state_dict(checkpoint)
            log.info("resumed at step %d of %d (%s)", self.state.step, self.settings.steps, folder)
        if collectives.all_reduce_max(self.state.step) != self.state.step:
            raise TrainingError(
                f"{folder}: the processes read different checkpoints (got step {self.state.step} "
                f"in process {collectives.rank()}). Use a folder that all machines share."
            )
        self.state.precision.start(self.state.step)
        if collectives.is_main_process():
            self.record.begin(self.state.step)

    def step(self, batch: Batch) -> None:
        """Takes a step, or skips it where a value is not finite and `on_nan` is "skip".

        A skipped step changes no parameter, buffer, average or mean, but counts as a step.
        """
        state, optimizer = self.state, self.settings.optimizer
        rate = learning_rate_at(state.step, self.settings.steps, optimizer)
        for player in state.optimizers.values():
            set_rate(player, rate)
        backup = state.buffer_backup
        persistent = state.persistent.clone() if backup else state.persistent.tensors
        # without skipped steps, so that an objective sees its first step as step 0
        shared = {"step": torch.tensor(state.step - state.nonfinite.total), **persistent}
        if backup:
            backup.save()
        try:
            scalars = take_step(
                *(state.fabric, state.turns, state.optimizers, batch),
                shared=shared,
                clip_norm=optimizer.clip_norm,
                parts=self.settings.accumulate,
            )
        except NonFiniteError as error:
            checkpoint = self.checkpoints.path
            state.nonfinite.skip(state.step + 1, error, batch.photos, checkpoint=checkpoint)
            if backup:
                backup.restore()
        else:
            state.nonfinite.reset()
            state.persistent.update(shared)
            state.ema.update(state.networks["generator"], state.step)
            state.running_means.add(scalars | {"learning_rate": torch.tensor(rate)})
        state.step += 1

    def _log_losses(self, progress: Progress, waited: float) -> None:
        means, speed = self.state.running_means.pop(), progress.speed(waited)
        speed["threads"] = self.threads.number
        if not collectives.is_main_process():
            return
        if means and self.state.buffer_backup:
            means["skipped_steps"] = float(self.state.nonfinite.total)
        self.record.add_losses(self.state.step, means, speed)
        progress.log(means, speed)

    def _validate(self) -> None:
        scores: dict[str, float] = {}
        if collectives.is_main_process():
            scores, pictures = self.validate(self.state.ema.network)
            self.record.add_validation(self.state.step, scores, pictures)
        self.state.validated(collectives.broadcast(scores))
        if self.state.exhausted and self.state.early_stopping:
            summary = self.state.early_stopping.summary()
            log.info("no gain in %s: stopped at step %d", summary, self.state.step)

    def _save(self) -> bool:
        if not collectives.is_main_process():
            return True
        start = time.perf_counter()
        saved = self.checkpoints.save(self.state.state_dict())
        self.schedule.saved(time.perf_counter() - start)
        return saved

    def _save_and_exit(self, received: signal.Signals) -> NoReturn:
        saved = collectives.broadcast(self._save())  # before any process exits, which ends the rest
        log.info(
            "%s at step %d of %d: %s. Run the same command again to resume.",
            received.name,
            self.state.step,
            self.settings.steps,
            "saved" if saved else "not saved, the previous checkpoint remains",
        )
        raise SystemExit(128 + received)

    def _finished(self) -> bool:
        return self.state.step >= self.settings.steps or self.state.exhausted

    def _after_step(self, progress: Progress, batches: Prefetcher) -> None:
        step, settings = self.state.step, self.settings
        last = step == settings.steps
        progress.step()
        if step % settings.log_every == 0 or last:
            self._log_losses(progress, batches.pop_wait())
        with progress.paused():
            if step % settings.validate_every == 0 or last:
                self._validate()
            if self._finished() or self.schedule.due(step):
                self._save()

    def run(self, source: PatchSampler, *, title: str) -> nn.Module:
        """Does the remaining steps; returns the averaged (or, stopped early, best) generator.

        Raises:
            NonFiniteError: Names the step, the photographs of the batch and the last checkpoint.
            ProcessLostError: Another process failed or does not answer.
            SystemExit: A process received SIGTERM, SIGINT or SIGUSR1; the step is done and the
                state saved. The exit code is 128 plus the signal's number.
        """
        self.resume()
        state, settings, first = self.state, self.settings, self.state.step
        steps = () if self._finished() else range(first, settings.steps)
        with (
            stop_requests() as requests,
            self.threads.trainings.entered() if collectives.is_main_process() else nullcontext(),
            Progress(title, settings.steps, first, settings.batch_size) as progress,
            Prefetcher(source.batch, steps, device=state.fabric.device) as batches,
        ):
            memory = MemoryCheck(settings)
            self.threads.start(first)
            for step, drawn in batches:
                lr = self.make_lr(drawn, step) if self.make_lr else drawn.lr
                batch = Batch(lr=lr, hr=drawn.hr, photos=drawn.photos)
                if step == first:
                    memory.measure(state, batch)
                with memory.explain_errors(state.fabric.device), self.threads.timed():
                    self.step(batch)
                self.threads.update(state.step)
                self._after_step(progress, batches)
                if received := collectives.all_reduce_max(requests.received or 0):
                    self._save_and_exit(signal.Signals(received))
                if self._finished():
                    break
        if state.stops_early and state.best:
            state.ema.network.load_state_dict(state.best.weights)
            state.scores = state.best.scores
        return state.ema.network
