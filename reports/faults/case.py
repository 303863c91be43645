"""What a fault is: its data (the bundled photographs), texts, numbers and measurement."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import NamedTuple

from benchmarks.patches import cut_into_store, list_photographs
from benchmarks.photographs import CHOICE
from srmodels.data.datasets.bundled import copy_bundled, read_choice
from srmodels.data.store.reader import PatchStore
from srmodels.evaluation.metrics.luma import Picture
from srmodels.evaluation.pictures import CROP, most_detailed_crop, sheet
from srmodels.images.readers.folder import whole_images
from srmodels.resize.images import crop_to_multiple

SCALE = 4


class StudyData:
    """The photographs; copied to an empty folder and cut into patches on first use."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def _copy(self, split: str) -> Path:
        rows = [row for row in read_choice(CHOICE) if row.split == split]
        target = self._folder / split
        target.mkdir()
        copy_bundled(rows, target)
        return target

    @cached_property
    def test_folder(self) -> Path:
        """The folder of the photographs for scoring."""
        return self._copy("test")

    @cached_property
    def pictures(self) -> Mapping[str, Picture]:
        """Those photographs by name, uint8 (H, W, 3), cropped to multiples of the scale."""
        return {name: crop_to_multiple(hr, SCALE) for name, hr in whole_images(self.test_folder)}

    @cached_property
    def store(self) -> PatchStore:
        """The patches for training."""
        originals = self._copy("train")
        list_photographs(sorted(originals.iterdir()), originals)
        cut_into_store(originals, self._folder / "patches", workers=1)
        return PatchStore(self._folder / "patches" / "train")


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
