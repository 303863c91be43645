"""The types of a fault: its texts, its numbers and the function that measures them."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import NamedTuple

from reports.faults.dataset import SCALE, StudyData
from srmodels.evaluation.metrics.luma import Picture
from srmodels.evaluation.pictures import CROP, most_detailed_crop, sheet

__all__ = ["Fault", "Measured", "Numbers", "detail_sheet"]

Numbers = Mapping[str, Mapping[str, float]]  # metrics by variant


class Measured(NamedTuple):
    """The numbers of metrics/faults/NAME.json and the picture docs/faults-NAME.jpg, if any."""

    numbers: Numbers
    picture: Picture | None = None


@dataclass(frozen=True, kw_only=True)
class Fault:
    """A section of the page.

    Attributes:
        name: Of its files.
        title: Heading.
        text: Markdown; `{variant[metric]:.2f}` inserts a number of its file.
        variants: Label of each variant, in the table's order.
        columns: Heading and decimals of each metric.
        tests: Tests that catch the fault, as "tests/FILE.py::NAME".
        picture: Alternative text; "" if there is no picture.
    """

    name: str
    title: str
    text: str
    variants: Mapping[str, str]
    columns: Mapping[str, tuple[str, int]]
    tests: tuple[str, ...]
    picture: str = ""
    measure: Callable[[StudyData], Measured]


def detail_sheet(pictures: Mapping[str, Picture]) -> Picture:
    """The pictures side by side, with the most detailed crop of "HR" enlarged."""
    corner = most_detailed_crop(pictures["HR"], CROP, multiple=SCALE)
    return sheet(pictures, corner=corner, crop=CROP)
