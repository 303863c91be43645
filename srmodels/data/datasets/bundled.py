"""The photographs inside the scikit-image and scikit-learn wheels, which need no network."""

import csv
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path

from srmodels.atomic import write_bytes
from srmodels.data.split import SPLITS
from srmodels.errors import DataError

_FOLDERS = {"skimage": Path("data"), "sklearn": Path("datasets/images")}
_WHEELS = {"skimage": "scikit-image", "sklearn": "scikit-learn"}


@dataclass(frozen=True, slots=True)
class Bundled:
    """A row of data/auto/PRESET.csv."""

    photo: str  # name in the project
    package: str  # skimage or sklearn
    file: str  # name inside the wheel
    split: str  # train, validation, test or unused
    why: str  # for the reader of the table


def read_choice(table: Path) -> list[Bundled]:
    """Reads the photographs of a preset; a DataError if there are none, or for a wrong row."""
    if not table.is_file():
        raise DataError(
            f"data.photos: the preset {table.stem!r} has no photographs of its own (got 'auto'). "
            "Give a folder: -S data.photos=/path/to/DIV2K_train_HR"
        )
    with table.open(newline="", encoding="utf-8-sig") as file:
        rows = [Bundled(**row) for row in csv.DictReader(file)]
    for row in rows:
        if row.package not in _FOLDERS or row.split not in (*SPLITS, "unused"):
            raise DataError(f"{table}: the row {row.photo!r} is wrong (got {row}). Correct it.")
    return rows


def _find_file(row: Bundled) -> Path:
    spec = find_spec(row.package)  # does not import the package: scikit-learn takes a second
    roots = list(spec.submodule_search_locations or ()) if spec else []
    for root in roots:
        path = Path(root) / _FOLDERS[row.package] / row.file
        if path.is_file():
            return path
    raise DataError(
        f"{_WHEELS[row.package]}: {row.file} is not inside the installed package "
        f"(got {roots or 'no installation'}). Reinstall the package, or give a folder: "
        "-S data.photos=/path/to/photos"
    )


def copy_bundled(rows: list[Bundled], folder: Path) -> list[tuple[Bundled, Path]]:
    """Copies the photographs whose split is not unused; returns each with its new path."""
    used = [(row, _find_file(row)) for row in rows if row.split != "unused"]
    copies = [(row, folder / f"{row.photo}{source.suffix}") for row, source in used]
    for (_, source), (_, target) in zip(used, copies, strict=True):
        write_bytes(target, source.read_bytes())
    return copies
