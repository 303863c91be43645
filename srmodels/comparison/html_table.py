"""The report's table of one test set: means, differences to the first, intervals, verdicts."""

from collections.abc import Sequence
from dataclasses import dataclass

from srmodels.comparison.difference import Difference, better_direction, differences
from srmodels.comparison.experiment import Experiment
from srmodels.comparison.text_table import number
from srmodels.evaluation.interval import interval
from srmodels.evaluation.scores import BASELINE

__all__ = ["GREY", "Cell", "score_table"]

GREY = -1  # bicubic's colour; an experiment's is its place


@dataclass(frozen=True, kw_only=True)
class Cell:
    """A mean, and below it the difference, the interval of either, and the verdict."""

    mean: str
    difference: str = ""
    bounds: str = ""
    verdict: str = ""
    own: str = ""

    @property
    def kind(self) -> str:
        """How it is coloured: "better", "worse" or ""."""
        return next((word for word in ("better", "worse") if self.verdict.endswith(word)), "")


def _bounds(low: float, high: float, *, sign: bool) -> str:
    return f"{number(low, sign=sign)} to {number(high, sign=sign)}"


def _own(entry: Experiment, name: str, row: str, score: str) -> str:
    """The interval of a mean over the set's images."""
    values = entry.scores(name, row).get(score)
    if values is None or len(values) < 2:
        return ""
    return _bounds(*interval(values.to_numpy()), sign=False)


def _plain(entry: Experiment, name: str, row: str, scores: Sequence[str]) -> list[Cell]:
    """A row that is compared with nothing."""
    means = entry.means(name, row)
    return [
        Cell(mean=number(means[score]), bounds=_own(entry, name, row, score))
        if score in means
        else Cell(mean="-")
        for score in scores
    ]


def _compared(entry: Experiment, name: str, score: str, found: Difference | None) -> Cell:
    if found is None:
        return Cell(mean="-")
    return Cell(
        mean=number(found.other),
        difference=number(found.difference, sign=True),
        bounds=_bounds(*found.bounds, sign=True) if found.bounds else "",
        verdict=found.verdict,
        own=_own(entry, name, entry.row, score),
    )


def score_table(entries: Sequence[Experiment], name: str) -> dict[str, object]:
    """A test set's table: bicubic, the first experiment, the others against it."""
    first, *others = entries
    scores = list(first.means(name, first.row))
    rows = [
        (GREY, BASELINE, _plain(first, name, BASELINE, scores)),
        (0, first.label, _plain(first, name, first.row, scores)),
    ]
    for place, entry in enumerate(others, 1):
        if not entry.means(name, entry.row):
            continue
        found = {each.score: each for each in differences(first, entry, name)}
        cells = [_compared(entry, name, score, found.get(score)) for score in scores]
        rows.append((place, entry.label, cells))
    heads = [(score, better_direction(score)) for score in scores]
    images = len(first.scores(name, first.row))
    return {"name": name, "images": images, "heads": heads, "rows": rows}
