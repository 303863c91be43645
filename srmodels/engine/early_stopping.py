"""Early stopping: a training ends when validation has brought nothing for long enough."""

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

from srmodels.errors import ConfigError

__all__ = ["EarlyStopping", "EarlyStoppingSettings"]


@dataclass(frozen=True, kw_only=True)
class EarlyStoppingSettings:
    """When to stop.

    Attributes:
        metric: The validation score that is watched.
        patience: How many validations in a row may bring no gain; the last of them stops.
        min_gain: By how much a score must pass the best so far to be a gain, in the metric's unit.
        mode: "max" where a higher score is better, "min" where a lower one is.
    """

    metric: Literal["validation_psnr_y", "validation_ssim_y"] = "validation_psnr_y"
    patience: int = 5
    min_gain: float = 0.0
    mode: Literal["max", "min"] = "max"

    def __post_init__(self) -> None:
        """Checks the ranges."""
        if self.patience < 1:
            raise ValueError("patience must be 1 validation or more")
        if self.min_gain < 0:
            raise ValueError("min_gain must be 0 or more")


class EarlyStopping:
    """Counts the validations since the last gain.

    Attributes:
        best: The best score so far; infinite and on the wrong side before the first.
        waited: How many validations ago it was.
    """

    def __init__(self, settings: EarlyStoppingSettings) -> None:
        self.settings = settings
        self.best = -math.inf if settings.mode == "max" else math.inf
        self.waited = 0

    @property
    def gained(self) -> bool:
        """Whether the last validation was the best so far."""
        return self.waited == 0

    @property
    def exhausted(self) -> bool:
        """Whether the last validation was one too many without a gain."""
        return self.waited >= self.settings.patience

    def update(self, scores: Mapping[str, float]) -> bool:
        """Takes the scores of a validation.

        Returns:
            Whether to stop. A score that is NaN is no gain.

        Raises:
            ConfigError: The metric is not among the scores.
        """
        settings = self.settings
        if settings.metric not in scores:
            raise ConfigError(
                f"early_stopping.metric: not among the scores (found {settings.metric!r}); "
                f"one of {', '.join(sorted(scores))}"
            )
        score = scores[settings.metric]
        gain = score - self.best if settings.mode == "max" else self.best - score
        # a gain of exactly min_gain counts, unless that is 0
        if gain > 0 and gain >= settings.min_gain:
            self.best, self.waited = score, 0
        else:
            self.waited += 1
        return self.exhausted

    def summary(self) -> str:
        """What was watched and for how long, for a log line."""
        return f"{self.settings.metric} for {self.waited} validations (best {self.best:.4g})"

    def state(self) -> dict[str, float]:
        """What a checkpoint keeps: plain numbers."""
        return {"best": self.best, "waited": self.waited}

    def load(self, state: Mapping[str, float]) -> None:
        """Goes on from what `state` gave."""
        self.best, self.waited = state["best"], int(state["waited"])
