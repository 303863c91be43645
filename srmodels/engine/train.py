"""The training loop of all objectives: steps, curves, validations, checkpoints, resume."""

import logging
import signal
import time
from collections.abc import Callable, Mapping, Sequence
from typing import NoReturn, Protocol

from torch import Tensor, nn

from srmodels.data.batches.batch import Batch
from srmodels.distributed import collectives
from srmodels.engine.advance import advance
from srmodels.engine.checkpoint.checkpoint import Checkpoints, CheckpointSchedule
from srmodels.engine.checkpoint.stop_signals import stop_requests
from srmodels.engine.early_stopping import EarlyStoppingSettings
from srmodels.engine.fabric import Fabric
from srmodels.engine.memory import MemoryCheck
from srmodels.engine.prefetch import Prefetcher
from srmodels.engine.run_settings import RunSettings
from srmodels.engine.settings import TrainSettings
from srmodels.engine.state import State
from srmodels.engine.tracking.progress import Progress
from srmodels.engine.tracking.record import Logger, Record
from srmodels.engine.validation import Validate
from srmodels.errors import TrainingError
from srmodels.objectives.turn import Turn

__all__ = ["BatchSource", "Trainer"]

log = logging.getLogger(__name__)


class BatchSource(Protocol):
    """Makes batches; each is a function of its step alone."""

    def batch(self, step: int) -> Batch:
        """This process's part of the batch of step `step` (from 0)."""
        ...


class Trainer:
    """One training. All processes step and stop together; rank 0 validates, writes and logs.

    Args:
        fabric: Device and precision.
        networks: As for `State`.
        turns_of: As for `State`.
        settings: Steps, batch and optimizer.
        checkpoints: Locked by the caller.
        validate: Scores the averaged generator.
        degrade: Makes LR from HR at a step; None uses the batch's LR.
        keep_best: By which validation score the best weights are kept, too; None: they are not.
        logger: Gets all scalars and pictures.
        run: When to write checkpoints.
    """

    def __init__(
        self,
        fabric: Fabric,
        networks: Mapping[str, nn.Module],
        turns_of: Callable[[Mapping[str, nn.Module]], Sequence[Turn]],
        settings: TrainSettings,
        *,
        checkpoints: Checkpoints,
        validate: Validate,
        degrade: Callable[[Tensor, int], Tensor] | None = None,
        keep_best: EarlyStoppingSettings | None = None,
        logger: Logger,
        run: RunSettings,
    ) -> None:
        self.fabric, self.settings = fabric, settings
        self.checkpoints, self.validate, self.degrade = checkpoints, validate, degrade
        self.state = State(fabric, networks, turns_of, settings, keep_best=keep_best)
        self.record = Record(checkpoints.folder, logger, steps=settings.steps)
        self.schedule = CheckpointSchedule(
            seconds=run.checkpoint_seconds, steps=run.checkpoint_steps
        )

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
        if collectives.is_main_process():
            self.record.begin(self.state.step)

    def _log_losses(self, progress: Progress, waited: float) -> None:
        means, speed = self.state.running_means.pop(), progress.speed(waited)
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

    def run(self, source: BatchSource, *, title: str) -> nn.Module:
        """Resumes and does the remaining steps.

        Returns:
            The averaged generator in eval mode; with early stopping, the best one.

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
            Progress(title, settings.steps, first, settings.batch_size) as progress,
            Prefetcher(source.batch, steps, device=self.fabric.device) as batches,
        ):
            memory = MemoryCheck(settings)
            for step, drawn in batches:
                lr = self.degrade(drawn.hr, step) if self.degrade else drawn.lr
                batch = Batch(lr=lr, hr=drawn.hr, photos=drawn.photos)
                if step == first:
                    memory.measure(state, batch)
                with memory.explain_errors(self.fabric.device):
                    advance(state, batch, settings, checkpoint=self.checkpoints.path)
                self._after_step(progress, batches)
                if received := collectives.all_reduce_max(requests.received or 0):
                    self._save_and_exit(signal.Signals(received))
                if self._finished():
                    break
        if state.stops_early and state.best:
            state.ema.load_state_dict(state.best.weights)
            state.scores = state.best.scores
        return state.ema.network
