"""The types of a fault: its texts, its numbers and the function that measures them."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import NamedTuple

from reports.faults.dataset import SCALE, StudyData
from srmodels.evaluation.metrics.luma import Picture
from srmodels.evaluation.pictures import CROP, most_detailed_crop, sheet

Numbers = Mapping[str, Mapping[str, float]]  # metrics by variant


class Measured(NamedTuple):
    """The numbers of metrics/faults/NAME.json and the picture docs/faults-NAME.jpg, if any."""

    numbers: Numbers
    picture: Picture | None = None


@dataclass(frozen=True, kw_only=True)
class Fault:
    """A section of the page."""

    name: str  # of its files
    title: str  # heading
    text: str  # markdown; `{variant[metric]:.2f}` inserts a number of its file
    variants: Mapping[str, str]  # label of each variant, in the table's order
    columns: Mapping[str, tuple[str, int]]  # heading and decimals of each metric
    tests: tuple[str, ...]  # tests that catch the fault, as "tests/FILE.py::NAME"
    picture: str = ""  # alternative text; "" if there is no picture
    measure: Callable[[StudyData], Measured]


def detail_sheet(pictures: Mapping[str, Picture]) -> Picture:
    """The pictures side by side, with the most detailed crop of "HR" enlarged."""
    corner = most_detailed_crop(pictures["HR"], CROP, multiple=SCALE)
    return sheet(pictures, corner=corner, crop=CROP)
