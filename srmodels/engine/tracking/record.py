"""What is told of a training while it goes on: the curves on disk, the watcher, the log.

The means of what steps tell, from one point of the curves to the next.
"""

import logging
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Protocol

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from srmodels.engine.tracking.curves import Curve

__all__ = ["Logger", "NullLogger", "Record", "RunningMeans"]

log = logging.getLogger(__name__)


class Logger(Protocol):
    """Who is told of points and pictures while they come, such as an MLflow run."""

    def log(self, step: int, scalars: Mapping[str, float]) -> None:
        """Takes one row of named scalars."""
        ...

    def picture(self, name: str, image: NDArray[np.uint8], step: int) -> None:
        """Takes a picture, uint8 (H, W, 3)."""
        ...


class NullLogger:
    """A watcher for processes that another one speaks for."""

    def log(self, step: int, scalars: Mapping[str, float]) -> None:
        """Keeps it to itself."""

    def picture(self, name: str, image: NDArray[np.uint8], step: int) -> None:
        """Keeps it to itself."""


class Record:
    """The curves of one training, of which the watcher gets a copy.

    Args:
        folder: Gets losses.csv and validation.csv.
        watcher: Told of every point and picture.
        steps: Of the whole training.
    """

    def __init__(self, folder: Path, watcher: Logger, *, steps: int) -> None:
        self.watcher, self.steps = watcher, steps
        self.losses = Curve(folder / "losses.csv")
        self.validation = Curve(folder / "validation.csv")

    def cut_after(self, step: int) -> None:
        """Forgets the points beyond `step`, which a resumed training comes by again."""
        self.losses.cut_after(step)
        self.validation.cut_after(step)

    def point(self, step: int, means: Mapping[str, float], speed: Mapping[str, float]) -> None:
        """Takes a point of the losses; `means` is empty where no step was taken since the last."""
        if means:
            self.losses.add(step, means)
        self.watcher.log(step, {**means, **speed})

    def validated(
        self, step: int, scores: Mapping[str, float], pictures: Mapping[str, NDArray[np.uint8]]
    ) -> None:
        """Takes a validation."""
        self.validation.add(step, scores)
        self.watcher.log(step, scores)
        for name, picture in pictures.items():
            self.watcher.picture(name, picture, step)
        shown = ", ".join(f"{name} {value:.3f}" for name, value in scores.items())
        log.info("step %d/%d: %s", step, self.steps, shown)


class RunningMeans:
    """Sums scalars on their device, so that the host waits for none of them before a point."""

    def __init__(self) -> None:
        self._sums: dict[str, Tensor] = {}
        self._count = 0

    def add(self, scalars: Mapping[str, Tensor]) -> None:
        """Takes one step's scalars; all steps have the same names."""
        for name, value in scalars.items():
            self._sums[name] = self._sums[name] + value if name in self._sums else value
        self._count += 1

    def means(self) -> dict[str, float]:
        """The mean of each since this was last asked; empty where no step came between."""
        means = {name: float(value) / self._count for name, value in self._sums.items()}
        self._sums, self._count = {}, 0
        return means

    def state(self) -> dict[str, Any]:
        """What a checkpoint keeps."""
        return {"sums": self._sums, "count": self._count}

    def load(self, state: Mapping[str, Any], device: torch.device) -> None:
        """Goes on from what `state` gave."""
        self._sums = {name: each.to(device) for name, each in state["sums"].items()}
        self._count = state["count"]
