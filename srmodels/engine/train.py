"""The one training loop: batches in, an averaged generator out; a killed one goes on."""

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
    """Where batches come from: a function of the step alone."""

    def batch(self, step: int) -> Batch:
        """This process's part of the batch of step `step` (from 0)."""
        ...


class Trainer:
    """The state and the curves of one training; `run` does the steps.

    Where several processes train, each has a trainer, and all go on and stop together; the leading
    one validates, writes and speaks.

    Args:
        fabric: Device and precision.
        networks: By role ("generator", ...); the generator is the one averaged and validated.
        turns_of: Makes the objective's turns from the networks as they will be called.
        settings: Steps, batch and optimizer.
        checkpoints: Where the state is kept; held by the caller.
        validate: Scores and pictures of a generator: called with the averaged one.
        degrade: Makes the LR of a step from its HR; None takes the source's.
        judged: Whether validation says how good the generator is, so that the best is kept beside
            the last: so for pixel losses, never for a GAN.
        watcher: Told of every point.
        run: When checkpoints are written.
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
        judged: bool = False,
        watcher: Logger,
        run: RunSettings,
    ) -> None:
        self.fabric, self.settings = fabric, settings
        self.checkpoints, self.validate, self.degrade = checkpoints, validate, degrade
        self.state = State(fabric, networks, turns_of, settings, judged=judged)
        self.record = Record(checkpoints.folder, watcher, steps=settings.steps)
        self.pace = CheckpointSchedule(seconds=run.checkpoint_seconds, steps=run.checkpoint_steps)

    def resume(self) -> None:
        """Goes back to the last checkpoint, if there is one, and cuts the curves to it.

        Raises:
            TrainingError: Not all processes find the same.
        """
        state = self.checkpoints.load()
        if state is not None:
            self.state.load(state)
            where = self.checkpoints.folder
            log.info("resumed at step %d of %d (%s)", self.state.step, self.settings.steps, where)
        if collectives.all_reduce_max(self.state.step) != self.state.step:
            raise TrainingError(
                f"{self.checkpoints.folder}: the processes do not read the same checkpoint (found "
                f"step {self.state.step} in process {collectives.rank()}); a folder that all "
                "machines share would be right"
            )
        if collectives.is_main_process():
            self.record.cut_after(self.state.step)

    def _degraded(self, batch: Batch, step: int) -> Batch:
        if self.degrade is None:
            return batch
        return Batch(lr=self.degrade(batch.hr, step), hr=batch.hr, photos=batch.photos)

    def _point(self, progress: Progress, waited: float) -> None:
        means, speed = self.state.tally.means(), progress.speed(waited)
        if not collectives.is_main_process():
            return
        if means and self.state.buffers:
            means["skipped_steps"] = float(self.state.skips.total)
        self.record.point(self.state.step, means, speed)
        progress.point(means, speed)

    def _validate(self) -> None:
        scores: dict[str, float] = {}
        if collectives.is_main_process():
            scores, pictures = self.validate(self.state.average.network)
            self.record.validated(self.state.step, scores, pictures)
        self.state.validated(collectives.broadcast(scores))
        if self.state.exhausted and self.state.patience:
            story = self.state.patience.summary()
            log.info("no gain in %s: stopped at step %d", story, self.state.step)

    def _save(self) -> bool:
        if not collectives.is_main_process():
            return True
        before = time.perf_counter()
        saved = self.checkpoints.save(self.state.dump())
        self.pace.saved(time.perf_counter() - before)
        return saved

    def _end(self, asked: signal.Signals) -> NoReturn:
        """Saves and leaves, as a process that a signal has ended."""
        saved = collectives.broadcast(self._save())  # who ends first may take the others with it
        log.info(
            "%s at step %d of %d: %s; the same command again goes on from there",
            asked.name,
            self.state.step,
            self.settings.steps,
            "saved" if saved else "not saved, the checkpoint before it stays",
        )
        raise SystemExit(128 + asked)

    def _over(self) -> bool:
        return self.state.step >= self.settings.steps or self.state.exhausted

    def _after_step(self, progress: Progress, batches: Prefetcher) -> None:
        """The points, validations and checkpoints that are due."""
        step, settings = self.state.step, self.settings
        last = step == settings.steps
        progress.stepped()
        if step % settings.log_every == 0 or last:
            self._point(progress, batches.take_wait())
        with progress.paused():
            if step % settings.validate_every == 0 or last:
                self._validate()
            if self._over() or self.pace.due(step):
                self._save()

    def run(self, source: BatchSource, *, title: str) -> nn.Module:
        """Does the steps that are left.

        Returns:
            The averaged generator, in eval mode: the last one, or with early stopping the best.

        Raises:
            NonFiniteError: Names the step, the photographs of the batch and the last good state.
            LostError: Another process has failed or does not answer.
            SystemExit: SIGTERM, SIGINT or SIGUSR1 came, to any process; the step was finished and
                the state saved. The code is 128 and the signal's number.
        """
        self.resume()
        state, total = self.state, self.settings.steps
        steps = () if self._over() else range(state.step, total)
        with (
            stop_requests() as requests,
            Progress(
                title, total, first=state.step, batch_size=self.settings.batch_size
            ) as progress,
            Prefetcher(source.batch, steps, device=self.fabric.device) as batches,
        ):
            fitting, first = MemoryCheck(self.settings), state.step
            for step, batch in batches:
                ready = self._degraded(batch, step)
                if step == first:
                    fitting.look(state, ready)
                with fitting.watched(self.fabric.device):
                    advance(state, ready, self.settings, good=self.checkpoints.path)
                self._after_step(progress, batches)
                if asked := collectives.all_reduce_max(requests.asked or 0):
                    self._end(signal.Signals(asked))
                if self._over():
                    break
        average = state.average.network
        if state.stops_early and state.best:
            average.load_state_dict(state.best.weights)
            state.scores = state.best.scores
        return average
