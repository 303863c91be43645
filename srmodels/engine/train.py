"""The one training loop: batches in, an averaged generator out; a killed one goes on."""

import logging
import time
from collections.abc import Callable, Mapping, Sequence
from typing import Any, Protocol

import numpy as np
import torch
from lightning_fabric import Fabric
from numpy.typing import NDArray
from torch import Tensor, nn
from tqdm import tqdm

from srmodels.data.source import Batch
from srmodels.engine.checkpoint import Checkpoints
from srmodels.engine.curves import Curve
from srmodels.engine.device import RunSettings
from srmodels.engine.optim import Average, learning_rate_at, optimizer_for
from srmodels.engine.patience import Patience
from srmodels.engine.settings import TrainSettings
from srmodels.engine.step import take_step
from srmodels.errors import NonFiniteError
from srmodels.objectives.turn import Memo, Turn

__all__ = ["Source", "Trainer", "Watcher"]

log = logging.getLogger(__name__)

_SAVE_SHARE = 20  # a checkpoint may cost at most one part in so many of the time


class Source(Protocol):
    """Where batches come from: a function of the step alone."""

    def batch(self, step: int) -> Batch:
        """The batch of step `step` (from 0)."""
        ...


class Watcher(Protocol):
    """Who is told of points and pictures while they come, such as an MLflow run."""

    def log(self, step: int, scalars: Mapping[str, float]) -> None:
        """Takes one row of named scalars."""
        ...

    def picture(self, name: str, image: NDArray[np.uint8], step: int) -> None:
        """Takes a picture, uint8 (H, W, 3)."""
        ...


class Trainer:
    """Networks, optimizers, average and curves of one training; `run` does the steps.

    Args:
        fabric: Device and precision.
        networks: By role ("generator", ...); the generator is the one averaged and validated.
        turns_of: Makes the objective's turns from the networks as they will be called.
        settings: Steps, batch and optimizer.
        checkpoints: Where the state is kept; held by the caller.
        validate: Scores and pictures of a generator: called with the averaged one.
        degrade: Makes the LR of a step from its HR; None takes the source's.
        watcher: Told of every point.
    """

    def __init__(
        self,
        fabric: Fabric,
        networks: Mapping[str, nn.Module],
        turns_of: Callable[[Mapping[str, nn.Module]], Sequence[Turn]],
        settings: TrainSettings,
        *,
        checkpoints: Checkpoints,
        validate: Callable[[nn.Module], tuple[dict[str, float], dict[str, NDArray[np.uint8]]]],
        degrade: Callable[[Tensor, int], Tensor] | None = None,
        watcher: Watcher,
        run: RunSettings,
    ) -> None:
        self.fabric, self.settings, self.watcher = fabric, settings, watcher
        self.checkpoints, self.validate, self.least_interval = (
            checkpoints,
            validate,
            run.checkpoint_seconds,
        )
        self.degrade = degrade
        self.patience = Patience(settings.early_stopping) if settings.early_stopping else None
        self.best: dict[str, Tensor] = {}  # of the average, where patience is kept
        self.networks = {
            role: network.train().to(memory_format=torch.channels_last)
            for role, network in networks.items()
        }
        self.wrapped = {role: fabric.setup_module(each) for role, each in self.networks.items()}
        self.turns = tuple(turns_of(self.wrapped))
        self.optimizers = {
            turn.player: fabric.setup_optimizers(optimizer_for(turn.networks, settings.optimizer))
            for turn in self.turns
        }
        self.average = Average(self.networks["generator"], settings.optimizer.ema_decay)
        self.losses = Curve(checkpoints.folder / "losses.csv")
        self.validation = Curve(checkpoints.folder / "validation.csv")
        self.step = 0
        self.kept: Memo = {}
        self.sums: dict[str, Tensor] = {}
        self.scores: dict[str, float] = {}

    def _state(self) -> dict[str, Any]:
        return {
            "step": self.step,
            "networks": {role: each.state_dict() for role, each in self.networks.items()},
            "average": self.average.network.state_dict(),
            "optimizers": {player: each.state_dict() for player, each in self.optimizers.items()},
            "kept": self.kept,
            "patience": self.patience.state() if self.patience else None,
            "best": self.best,
            "sums": self.sums,
            "scores": self.scores,
            "torch_rng": torch.get_rng_state(),
        }

    def resume(self) -> None:
        """Goes back to the last checkpoint, if there is one, and cuts the curves to it."""
        state = self.checkpoints.load()
        if state is None:
            self.losses.cut_after(0)
            self.validation.cut_after(0)
            return
        for role, network in self.networks.items():
            network.load_state_dict(state["networks"][role])
        self.average.network.load_state_dict(state["average"])
        for player, optimizer in self.optimizers.items():
            optimizer.load_state_dict(state["optimizers"][player])
        if self.patience:
            self.patience.load(state["patience"])
        device, self.best = self.fabric.device, state["best"]
        self.sums = {name: each.to(device) for name, each in state["sums"].items()}
        self.kept = {name: each.to(device) for name, each in state["kept"].items()}
        self.step, self.scores = state["step"], state["scores"]
        torch.set_rng_state(state["torch_rng"])
        self.losses.cut_after(self.step)
        self.validation.cut_after(self.step)
        where = self.checkpoints.path
        log.info("resumed at step %d of %d (%s)", self.step, self.settings.steps, where)

    def _batch(self, source: Source, step: int) -> Batch:
        """The batch of a step, on the device."""
        batch, device = source.batch(step), self.fabric.device
        hr = batch.hr.to(device, non_blocking=True)
        if self.degrade is None:
            return Batch(lr=batch.lr.to(device, non_blocking=True), hr=hr, photos=batch.photos)
        return Batch(lr=self.degrade(hr, step), hr=hr, photos=batch.photos)

    def _move(self, batch: Batch) -> None:
        rate = learning_rate_at(self.step, self.settings.steps, self.settings.optimizer)
        for optimizer in self.optimizers.values():
            for group in optimizer.param_groups:
                group["lr"] = rate
        memo = {"step": torch.tensor(self.step), **self.kept}
        try:
            scalars = take_step(
                self.fabric,
                self.turns,
                self.optimizers,
                batch,
                memo=memo,
                clip_norm=self.settings.optimizer.clip_norm,
            )
        except NonFiniteError as error:
            photos = ", ".join(sorted(set(batch.photos)))
            raise NonFiniteError(
                f"step {self.step + 1}: {error}; no parameter has moved. The batch came from "
                f"{photos}. The last good state is {self.checkpoints.path}; "
                "a lower learning_rate or a clip_norm usually helps"
            ) from None
        self.kept = {name: each for name, each in memo.items() if name.startswith("kept/")}
        self.average.update(self.networks["generator"], self.step)
        scalars["learning_rate"] = torch.tensor(rate)
        for name, value in scalars.items():
            self.sums[name] = self.sums[name] + value if name in self.sums else value
        self.step += 1

    def _log_point(self, bar: "tqdm[int]", spent: float, waited: float) -> None:
        count = (self.step - 1) % self.settings.log_every + 1
        means = {name: float(value) / count for name, value in self.sums.items()}
        self.sums = {}
        self.losses.add(self.step, means)
        speed = {
            "images_per_second": count * self.settings.batch_size / max(spent, 1e-9),
            "data_wait_share": waited / max(spent, 1e-9),
        }
        self.watcher.log(self.step, means | speed)
        shown = {name.split("/")[-1]: f"{value:.3g}" for name, value in means.items()}
        bar.set_postfix({name: shown[name] for name in list(shown)[:3]}, refresh=False)

    def _validate(self) -> bool:
        """Scores the average; says whether the training is to stop."""
        scores, pictures = self.validate(self.average.network)
        self.validation.add(self.step, scores)
        self.watcher.log(self.step, scores)
        for name, picture in pictures.items():
            self.watcher.picture(name, picture, self.step)
        shown = ", ".join(f"{name} {value:.3f}" for name, value in scores.items())
        tqdm.write(f"step {self.step}/{self.settings.steps}: {shown}")
        if self.patience is None:
            self.scores = scores
            return False
        stop = self.patience.update(scores)
        if self.patience.gained or not self.best:
            self.scores = scores
            self.best = {k: v.clone() for k, v in self.average.network.state_dict().items()}
        if stop:
            log.info("no gain in %s: stopped at step %d", self.patience.story(), self.step)
        return stop

    def run(self, source: Source, *, title: str) -> nn.Module:
        """Does the steps that are left.

        Returns:
            The averaged generator, in eval mode: the last one, or with early stopping the best.

        Raises:
            NonFiniteError: Names the step, the photographs of the batch and the last good state.
        """
        self.resume()
        saved = marked = time.perf_counter()
        cost = waited = 0.0
        steps, settings = range(self.step, self.settings.steps), self.settings
        total = settings.steps
        bar = tqdm(steps, title, total, initial=self.step, disable=None, unit="step", smoothing=0.1)
        stop = self.patience is not None and self.patience.exhausted
        for step in bar if not stop else ():
            before = time.perf_counter()
            batch = self._batch(source, step)
            waited += time.perf_counter() - before
            self._move(batch)
            if self.step % settings.log_every == 0 or self.step == total:
                now = time.perf_counter()
                self._log_point(bar, now - marked, waited)
                marked, waited = time.perf_counter(), 0.0
            if self.step % settings.validate_every == 0 or self.step == total:
                stop = self._validate()
                marked = time.perf_counter()
            now = time.perf_counter()
            pause = max(self.least_interval, _SAVE_SHARE * cost)
            if now - saved >= pause or self.step == total or stop:
                self.checkpoints.save(self._state())
                saved = time.perf_counter()
                cost = saved - now
                marked += cost
            if stop:
                break
        if self.best:
            self.average.network.load_state_dict(self.best)
        return self.average.network
