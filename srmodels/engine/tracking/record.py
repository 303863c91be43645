"""Writes the scalars of a training to curves, an optional logger such as MLflow, and the log."""

import logging
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Protocol

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from srmodels.engine.tracking.curves import Curve, Point, read_points

__all__ = ["Logger", "NullLogger", "Record", "RunningMeans"]

log = logging.getLogger(__name__)


class Logger(Protocol):
    """Receives scalars and pictures during a training, such as an MLflow run."""

    def begin(self, step: int, points: list[Point]) -> None:
        """Begins at step 0, or goes on from `step` with the points until there."""
        ...

    def log(self, step: int, scalars: Mapping[str, float]) -> None:
        """Logs scalars by name."""
        ...

    def picture(self, name: str, image: NDArray[np.uint8], step: int) -> None:
        """Logs a picture, uint8 (H, W, 3)."""
        ...


class NullLogger:
    """Logs nothing, for processes other than rank 0."""

    def begin(self, step: int, points: list[Point]) -> None:
        """Does nothing."""

    def log(self, step: int, scalars: Mapping[str, float]) -> None:
        """Does nothing."""

    def picture(self, name: str, image: NDArray[np.uint8], step: int) -> None:
        """Does nothing."""


class Record:
    """Writes losses.csv and validation.csv of a training of `steps`, and copies to the logger."""

    def __init__(self, folder: Path, logger: Logger, *, steps: int) -> None:
        self.logger, self.steps = logger, steps
        self.losses = Curve(folder / "losses.csv")
        self.validation = Curve(folder / "validation.csv")

    def begin(self, step: int) -> None:
        """Drops the rows after `step`, which a resumed training writes again."""
        curves = (self.losses, self.validation)
        for curve in curves:
            curve.cut_after(step)
        self.logger.begin(step, [point for curve in curves for point in read_points(curve.path)])

    def add_losses(self, step: int, means: Mapping[str, float], speed: Mapping[str, float]) -> None:
        """Adds a row of losses; `means` is empty if all steps since the last row were skipped."""
        if means:
            self.losses.add(step, means)
        self.logger.log(step, {**means, **speed})

    def add_validation(
        self, step: int, scores: Mapping[str, float], pictures: Mapping[str, NDArray[np.uint8]]
    ) -> None:
        """Adds a row of scores, and the pictures."""
        self.validation.add(step, scores)
        self.logger.log(step, scores)
        for name, picture in pictures.items():
            self.logger.picture(name, picture, step)
        text = ", ".join(f"{name} {value:.3f}" for name, value in scores.items())
        log.info("step %d/%d: %s", step, self.steps, text)


class RunningMeans:
    """Means of scalars, summed on the device so that no step waits for the host."""

    def __init__(self, device: torch.device) -> None:
        self._device = device
        self._sums: dict[str, Tensor] = {}
        self._count = 0

    def add(self, scalars: Mapping[str, Tensor]) -> None:
        """Adds one step's scalars; all steps have the same names."""
        for name, value in scalars.items():
            self._sums[name] = self._sums[name] + value if name in self._sums else value
        self._count += 1

    def pop(self) -> dict[str, float]:
        """The means since the last call; empty if no step was added."""
        means = {name: float(value) / self._count for name, value in self._sums.items()}
        self._sums, self._count = {}, 0
        return means

    def state_dict(self) -> dict[str, Any]:
        """Sums and count."""
        return {"sums": self._sums, "count": self._count}

    def load_state_dict(self, state: Mapping[str, Any]) -> None:
        """Restores `state_dict` on the device."""
        self._sums = {name: value.to(self._device) for name, value in state["sums"].items()}
        self._count = state["count"]
