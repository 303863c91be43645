"""The photographs that come inside the scikit-image and scikit-learn wheels: no network needed."""

import csv
import shutil
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path

from srmodels.errors import DataError

__all__ = ["Bundled", "copy_bundled", "read_choice"]

_FOLDERS = {"skimage": Path("data"), "sklearn": Path("datasets/images")}
_WHEELS = {"skimage": "scikit-image", "sklearn": "scikit-learn"}


@dataclass(frozen=True, slots=True)
class Bundled:
    """A row of data/auto/PRESET.csv.

    Attributes:
        photo: The name it goes by in the project.
        package: skimage or sklearn.
        file: The file's name inside the wheel.
        split: train, validation, test; or unused.
        why: One sentence for the reader of the table.
    """

    photo: str
    package: str
    file: str
    split: str
    why: str


def read_choice(table: Path) -> list[Bundled]:
    """Reads a preset's choice of photographs.

    Raises:
        DataError: The preset has none, or a row is wrong.
    """
    if not table.is_file():
        raise DataError(
            f"data.photos: the preset {table.stem!r} has no photographs of its own (found 'auto'); "
            "give a folder: -S data.photos=/path/to/DIV2K_train_HR"
        )
    with table.open(newline="", encoding="utf-8") as file:
        rows = [Bundled(**row) for row in csv.DictReader(file)]
    for row in rows:
        if row.package not in _FOLDERS or row.split not in (
            "train",
            "validation",
            "test",
            "unused",
        ):
            raise DataError(f"{table}: the row {row.photo!r} is wrong (found {row})")
    return rows


def _inside(row: Bundled) -> Path:
    # the package is found but not imported: scikit-learn takes a second
    spec = find_spec(row.package)
    roots = list(spec.submodule_search_locations or ()) if spec else []
    for root in roots:
        path = Path(root) / _FOLDERS[row.package] / row.file
        if path.is_file():
            return path
    raise DataError(
        f"{_WHEELS[row.package]}: {row.file} is not inside the installed package "
        f"(looked in {roots or 'no installation'}); reinstall it, or give a folder: "
        "-S data.photos=/path/to/photos"
    )


def copy_bundled(rows: list[Bundled], folder: Path) -> list[tuple[Bundled, Path]]:
    """Copies the photographs that are used, as PHOTO plus the file's ending.

    Raises:
        DataError: A file is missing from its wheel; nothing has been copied then.
    """
    used = [(row, _inside(row)) for row in rows if row.split != "unused"]
    copies = []
    for row, source in used:
        target = folder / f"{row.photo}{source.suffix}"
        shutil.copyfile(source, target)
        copies.append((row, target))
    return copies
