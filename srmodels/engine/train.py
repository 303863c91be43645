"""The one training loop: batches in, an averaged generator out; a killed one goes on."""

import logging
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
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
from srmodels.engine.device import Precision, RunSettings
from srmodels.engine.optim import Average, OptimSettings, learning_rate_at, optimizer_for
from srmodels.engine.step import take_step
from srmodels.errors import NonFiniteError
from srmodels.objectives.turn import Turn

__all__ = ["Source", "TrainSettings", "Trainer", "Watcher"]

log = logging.getLogger(__name__)

_SAVE_SHARE = 20  # a checkpoint may cost at most one part in so many of the time


@dataclass(frozen=True, kw_only=True)
class TrainSettings:
    """How long and on what a stage trains.

    Attributes:
        steps: How often every player moves.
        batch_size: Crops per step.
        patch_size: Side of a training crop in LR pixels; the HR side is `scale` times that.
        permute_colours: Exchanges the colours of each pair at random: as bicubic treats them alike,
            these are further pictures. It helps where photographs are few.
        precision: "bf16-mixed", "32-true", or "auto": the former where the device is fast at it.
        log_every: Steps between two points of the loss curves; a point is their mean.
        validate_every: Steps between two validations; the last step always validates.
        optimizer: What moves the parameters.
    """

    steps: int
    batch_size: int = 16
    patch_size: int = 24
    permute_colours: bool = False
    precision: Precision = "auto"
    log_every: int = 50
    validate_every: int = 500
    optimizer: OptimSettings = field(default_factory=OptimSettings)

    def __post_init__(self) -> None:
        """Checks the ranges."""
        for name in ("steps", "batch_size", "patch_size", "log_every", "validate_every"):
            if getattr(self, name) < 1:
                raise ValueError(f"{name} must be 1 or more")


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


def _on(device: torch.device, batch: Batch) -> Batch:
    lr, hr = (each.to(device, non_blocking=True) for each in (batch.lr, batch.hr))
    return Batch(lr=lr, hr=hr, photos=batch.photos)


class Trainer:
    """Networks, optimizers, average and curves of one training; `run` does the steps.

    Args:
        fabric: Device and precision.
        networks: By role ("generator", ...); the generator is the one averaged and validated.
        turns_of: Makes the objective's turns from the networks as they will be called.
        settings: Steps, batch and optimizer.
        checkpoints: Where the state is kept; held by the caller.
        validate: Scores and pictures of a generator: called with the averaged one.
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
        watcher: Watcher,
        run: RunSettings,
    ) -> None:
        self.fabric, self.settings, self.watcher = fabric, settings, watcher
        self.checkpoints, self.validate, self.least_interval = (
            checkpoints,
            validate,
            run.checkpoint_seconds,
        )
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
        self.sums: dict[str, Tensor] = {}
        self.scores: dict[str, float] = {}

    def _state(self) -> dict[str, Any]:
        return {
            "step": self.step,
            "networks": {role: each.state_dict() for role, each in self.networks.items()},
            "average": self.average.network.state_dict(),
            "optimizers": {player: each.state_dict() for player, each in self.optimizers.items()},
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
        self.sums = {name: each.to(self.fabric.device) for name, each in state["sums"].items()}
        self.step, self.scores = state["step"], state["scores"]
        torch.set_rng_state(state["torch_rng"])
        self.losses.cut_after(self.step)
        self.validation.cut_after(self.step)
        where = self.checkpoints.path
        log.info("resumed at step %d of %d (%s)", self.step, self.settings.steps, where)

    def _move(self, batch: Batch) -> None:
        rate = learning_rate_at(self.step, self.settings.steps, self.settings.optimizer)
        for optimizer in self.optimizers.values():
            for group in optimizer.param_groups:
                group["lr"] = rate
        try:
            scalars = take_step(
                self.fabric,
                self.turns,
                self.optimizers,
                batch,
                clip_norm=self.settings.optimizer.clip_norm,
            )
        except NonFiniteError as error:
            photos = ", ".join(sorted(set(batch.photos)))
            raise NonFiniteError(
                f"step {self.step + 1}: {error}; no parameter has moved. The batch came from "
                f"{photos}. The last good state is {self.checkpoints.path}; "
                "a lower learning_rate or a clip_norm usually helps"
            ) from None
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

    def _validate(self) -> None:
        self.scores, pictures = self.validate(self.average.network)
        self.validation.add(self.step, self.scores)
        self.watcher.log(self.step, self.scores)
        for name, picture in pictures.items():
            self.watcher.picture(name, picture, self.step)
        shown = ", ".join(f"{name} {value:.3f}" for name, value in self.scores.items())
        tqdm.write(f"step {self.step}/{self.settings.steps}: {shown}")

    def run(self, source: Source, *, title: str) -> nn.Module:
        """Does the steps that are left.

        Returns:
            The averaged generator, in eval mode.

        Raises:
            NonFiniteError: Names the step, the photographs of the batch and the last good state.
        """
        self.resume()
        saved = marked = time.perf_counter()
        cost = waited = 0.0
        steps, settings = range(self.step, self.settings.steps), self.settings
        total = settings.steps
        bar = tqdm(steps, title, total, initial=self.step, disable=None, unit="step", smoothing=0.1)
        for step in bar:
            before = time.perf_counter()
            batch = _on(self.fabric.device, source.batch(step))
            waited += time.perf_counter() - before
            self._move(batch)
            if self.step % settings.log_every == 0 or self.step == total:
                now = time.perf_counter()
                self._log_point(bar, now - marked, waited)
                marked, waited = time.perf_counter(), 0.0
            if self.step % settings.validate_every == 0 or self.step == total:
                self._validate()
                marked = time.perf_counter()
            now = time.perf_counter()
            if now - saved >= max(self.least_interval, _SAVE_SHARE * cost) or self.step == total:
                self.checkpoints.save(self._state())
                saved = time.perf_counter()
                cost = saved - now
                marked += cost
        return self.average.network
