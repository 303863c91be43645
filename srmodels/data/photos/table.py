"""The table photos.csv: which photographs there are, with their digests and splits."""

import csv
from collections.abc import Sequence
from dataclasses import astuple, dataclass, fields, replace
from pathlib import Path
from typing import Any

from srmodels.atomic import write_table
from srmodels.data.split import SPLITS
from srmodels.errors import DataError

_TABLE = "photos.csv"
OWN = "own"


@dataclass(frozen=True, slots=True)
class Photo:
    """A row of photos.csv."""

    photo: str  # its unique name, with forward slashes
    split: str  # train, validation or test
    path: str  # absolute, or relative to the table's folder
    bytes: int  # size of the file
    sha256: str  # of the file
    lr: str = ""  # the absolute path of its LR picture; '': LR is made of HR, or is missing
    lr_sha256: str = ""  # of that file; '' where there is none, or it cannot be opened
    lr_from: str = ""  # "official": came with the set, "own": of data.lr's folder; '': made of HR


def write_photos(photos: Sequence[Photo], folder: Path) -> None:
    """Writes FOLDER/photos.csv."""
    write_table(folder / _TABLE, [field.name for field in fields(Photo)], map(astuple, photos))


def read_photos(folder: Path) -> list[Photo]:
    """Reads FOLDER/photos.csv; each path then opens from the working directory."""
    path = folder / _TABLE
    try:
        with path.open(newline="", encoding="utf-8-sig", errors="surrogateescape") as file:
            rows: list[dict[str, Any]] = list(csv.DictReader(file))
        photos = [
            replace(Photo(**row), path=str(folder / row["path"]), bytes=int(row["bytes"]))
            for row in rows
        ]
    except FileNotFoundError:
        raise DataError(f"{path}: not found. First run the stage `photos`.") from None
    except (KeyError, TypeError, ValueError) as error:
        raise DataError(
            f"{path}: is no table of photographs (got {error!r}). Run the stage `photos` again."
        ) from None
    for photo in photos:
        if photo.split not in SPLITS:
            raise DataError(
                f"{path}: {photo.photo}: unknown split (got {photo.split!r}). Run the stage "
                "`photos` again."
            )
    return photos


def check_splits(photos: Sequence[Photo]) -> None:
    """A DataError if a split is empty, so that a later stage would have nothing to do."""
    counts = {split: sum(photo.split == split for photo in photos) for split in SPLITS}
    if empty := [split for split, count in counts.items() if not count]:
        listed = ", ".join(f"{count} for {split}" for split, count in counts.items())
        raise DataError(
            f"data.photos: no photograph for {' and '.join(empty)} (got {listed}). Give all of "
            "the sub-folders train, validation and test, or none and three photographs or more "
            "that are no near duplicates (groups.csv)."
        )
