"""The report's table of one test set: means, differences from the first, intervals, verdicts."""

from collections.abc import Sequence
from dataclasses import dataclass

from srmodels.comparison.charts import GREY
from srmodels.comparison.difference import better_direction, differences
from srmodels.comparison.experiment import Experiment
from srmodels.comparison.text_table import format_bounds, format_score
from srmodels.evaluation.means import FEWEST, interval
from srmodels.evaluation.scores import BASELINE

# columns that a screen shows without scrolling
_FIRST = ("psnr_y", "ssim_y", "lpips", "dists", "niqe", "sharpness", "colour_shift")


@dataclass(frozen=True, kw_only=True)
class Cell:
    """A mean with its own interval, and the difference from the first with its interval."""

    mean: str = "-"
    difference: str = ""
    bounds: str = ""
    verdict: str = ""
    own_bounds: str = ""

    @property
    def css_class(self) -> str:
        """The class "better", "worse" or ""."""
        return next((word for word in ("better", "worse") if self.verdict.endswith(word)), "")


def _own_bounds(experiment: Experiment, name: str, row: str, score: str) -> str:
    """The interval of a mean over the set's images; "" with fewer than three."""
    scores = experiment.scores(name, row).get(score)
    if scores is None or len(scores) < FEWEST:
        return ""
    return format_bounds(interval(scores.to_numpy()))


def _first_row(first: Experiment, name: str, row: str) -> dict[str, Cell]:
    return {
        score: Cell(mean=format_score(mean), bounds=_own_bounds(first, name, row, score))
        for score, mean in first.means(name, row).items()
    }


def _compared_row(first: Experiment, other: Experiment, name: str) -> dict[str, Cell]:
    return {
        found.score: Cell(
            mean=format_score(found.other),
            difference=format_score(found.difference, sign=True),
            bounds=format_bounds(found.bounds, sign=True),
            verdict=found.verdict,
            own_bounds=_own_bounds(other, name, other.row, found.score),
        )
        for found in differences(first, other, name)
    }


def score_table(experiments: Sequence[Experiment], name: str) -> dict[str, object]:
    """The table of the test set `name`: bicubic, the first experiment, the others against it."""
    first, *others = experiments
    places = {score: place for place, score in enumerate(_FIRST)}
    scores = sorted(first.means(name, first.row), key=lambda score: places.get(score, len(places)))
    rows = [
        (GREY, BASELINE, _first_row(first, name, BASELINE)),
        (0, first.label, _first_row(first, name, first.row)),
        *(
            (colour, other.label, _compared_row(first, other, name))
            for colour, other in enumerate(others, 1)
            if other.means(name, other.row)
        ),
    ]
    return {
        "name": name,
        "images": len(first.scores(name, first.row)),
        "heads": [(score, better_direction(score)) for score in scores],
        "rows": [(*head, [row.get(score, Cell()) for score in scores]) for *head, row in rows],
    }
