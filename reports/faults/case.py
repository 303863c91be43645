"""What a fault is here: sentences, numbers by way, and what measures them."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import NamedTuple

from reports.faults.dataset import StudyData
from srmodels.evaluation.luma import Picture

__all__ = ["Fault", "Measured", "Numbers"]

Numbers = Mapping[str, Mapping[str, float]]
"""Of each way: its metrics by name."""


class Measured(NamedTuple):
    """What a run of a fault leaves.

    Attributes:
        numbers: For metrics/faults/NAME.json.
        picture: For docs/faults-NAME.jpg, uint8 (H, W, 3); None where numbers say it all.
    """

    numbers: Numbers
    picture: Picture | None = None


@dataclass(frozen=True, kw_only=True)
class Fault:
    """Ways of doing one thing: this project's, and the fault's one or several.

    Attributes:
        name: Of its files.
        title: Its heading on the page.
        text: Markdown, paragraphs; `{way[metric]:.2f}` stands for a number of its file.
        ways: What the table calls each way, in its order; this project's first.
        columns: Heading and digits of each metric, in the table's order.
        tests: What keeps it out, as "tests/FILE.py::NAME".
        picture: What is to be seen on its picture; "" where there is none.
        measure: Builds every way and measures it.
    """

    name: str
    title: str
    text: str
    ways: Mapping[str, str]
    columns: Mapping[str, tuple[str, int]]
    tests: tuple[str, ...]
    picture: str = ""
    measure: Callable[[StudyData], Measured]
