"""Early stopping: ends a training after several validations without an improvement."""

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

from srmodels.config import check_least
from srmodels.errors import ConfigError


@dataclass(frozen=True, kw_only=True)
class EarlyStoppingSettings:
    """When to stop."""

    # the validation score to watch; `validation_lpips` exists in GAN phases only
    metric: Literal["validation_psnr_y", "validation_ssim_y", "validation_lpips"] = (
        "validation_psnr_y"
    )
    patience: int = 5  # stop after this many validations in a row without an improvement
    min_gain: float = 0.0  # the smallest improvement that counts, in the metric's unit
    # "max" where a higher score is better, "min" where a lower one is
    mode: Literal["max", "min"] = "max"

    def __post_init__(self) -> None:
        check_least(self, 1, "patience")
        check_least(self, 0, "min_gain")


class EarlyStopping:
    """Keeps the `best` score and counts the validations `waited` since."""

    def __init__(self, settings: EarlyStoppingSettings) -> None:
        self.settings = settings
        self.best = -math.inf if settings.mode == "max" else math.inf
        self.waited = 0

    @property
    def improved(self) -> bool:
        """Whether the last validation was the best so far."""
        return self.waited == 0

    @property
    def exhausted(self) -> bool:
        """Whether the training must stop."""
        return self.waited >= self.settings.patience

    def update(self, scores: Mapping[str, float]) -> bool:
        """Takes the scores of a validation and returns `exhausted`; NaN is no improvement."""
        settings = self.settings
        if settings.metric not in scores:
            raise ConfigError(
                f"early_stopping.metric: not among the scores (got {settings.metric!r}). "
                f"Set one of {', '.join(sorted(scores))}."
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
        """The metric, the validations since the best one, and its score, for a log line."""
        return f"{self.settings.metric} for {self.waited} validations (best {self.best:.4g})"

    def state_dict(self) -> dict[str, float]:
        """The best score and the count."""
        return {"best": self.best, "waited": self.waited}

    def load_state_dict(self, state: Mapping[str, float]) -> None:
        """Restores `state_dict`."""
        self.best, self.waited = state["best"], int(state["waited"])
