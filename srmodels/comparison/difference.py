"""Whether two models differ in a score, and how sure that is: differences image by image.

The interval is that of the mean difference (`srmodels.evaluation.interval`): images are drawn with
replacement, the same ones for both models. Of two trainings that differ in their seeds alone it may
well say "better": it speaks of other images, not of another training.
"""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from srmodels.comparison.experiment import Experiment
from srmodels.evaluation.interval import interval

__all__ = ["FEW", "Difference", "better_direction", "differences"]

FEW = 5  # images; an interval over fewer shows little

Values = NDArray[np.float64]
_AIMS: dict[str, tuple[str, Callable[[Values], Values]]] = {
    "up": ("psnr ssim lr_consistency", np.negative),
    "down": ("colour_shift checkerboard lpips", np.asarray),
    "to 1": ("sharpness", lambda values: np.abs(values - 1)),
    "to 0": ("shift", np.abs),
}


@dataclass(frozen=True, kw_only=True)
class Difference:
    """A score of one set in two experiments, over the images that both have.

    Attributes:
        score: Its name.
        aim: "up", "down", "to 1", "to 0": which way is better; "" where none is.
        images: How many; 0 where only means are known.
        first: Mean of the first experiment.
        other: Mean of the other.
        bounds: The 95 % interval of other less first; None with fewer than two images.
        verdict: Of the other: "better", "worse", "no difference shown"; "perhaps ..." with fewer
            than five images; "" without an interval or an aim.
    """

    score: str
    aim: str
    images: int
    first: float
    other: float
    bounds: tuple[float, float] | None
    verdict: str

    @property
    def difference(self) -> float:
        """Other less first."""
        return self.other - self.first


def better_direction(score: str) -> str:
    """Which way a score is better; "" where it does not say."""
    for direction, (names, _) in _AIMS.items():
        if score.startswith(tuple(names.split())):
            return direction
    return ""


def _verdict(first: Values, other: Values, direction: str) -> str:
    if not direction or len(first) < 2:
        return ""
    distance = _AIMS[direction][1]  # from the best value there is
    low, high = interval(distance(other) - distance(first))
    if low <= 0 <= high:
        return "no difference shown"
    word = "better" if high < 0 else "worse"
    return f"perhaps {word}" if len(first) < FEW else word


def _paired(score: str, first: Values, other: Values) -> Difference:
    return Difference(
        score=score,
        aim=better_direction(score),
        images=len(first),
        first=float(first.mean()),
        other=float(other.mean()),
        bounds=interval(other - first) if len(first) > 1 else None,
        verdict=_verdict(first, other, better_direction(score)),
    )


def differences(first: Experiment, other: Experiment, name: str) -> list[Difference]:
    """Compares two experiments on one test set, score by score.

    Args:
        first: What is compared with.
        other: Whose verdicts these are.
        name: The set; images are paired by name.

    Returns:
        The scores that both have, in the first one's order. Without images in common, of means
        alone.
    """
    mine, theirs = first.scores(name, first.row), other.scores(name, other.row)
    images = mine.index.intersection(theirs.index)
    if len(images):
        pairs = mine.loc[images], theirs.loc[images]
        return [
            _paired(str(score), *(table[score].to_numpy() for table in pairs))
            for score in mine
            if score in theirs
        ]
    means, others = first.means(name, first.row), other.means(name, other.row)
    return [
        Difference(
            score=score,
            aim=better_direction(score),
            images=0,
            first=means[score],
            other=others[score],
            bounds=None,
            verdict="",
        )
        for score in means
        if score in others
    ]
