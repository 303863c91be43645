"""Which photographs there are, of what content, and in which split: the table photos.csv."""

import csv
from collections.abc import Iterable, Sequence
from dataclasses import astuple, dataclass, fields
from pathlib import Path
from typing import Literal

from srmodels.data.split import SPLITS
from srmodels.errors import DataError

__all__ = [
    "Photo",
    "PhotosSettings",
    "check_splits",
    "read_photos",
    "write_photos",
    "write_table",
]

_TABLE = "photos.csv"


@dataclass(frozen=True, kw_only=True)
class PhotosSettings:
    """Which photographs.

    Attributes:
        photos: `auto` for the preset's own choice, a set's name, `mix`, or the absolute path of a
            folder.
        validation: Share of a folder's photographs that training is watched on.
        test: Share of a folder's photographs that scores are computed on; 0: on the bundled ones
            of the preset `quickstart` instead.
        near_duplicates: `group` keeps photographs that show the same picture on one side of the
            splits; `ignore` does not look for them.
        official_lr: Takes the LR pictures that came with a set instead of reducing HR.
        leave_out: Names of photographs that are not used, as photos.csv has them; `*`, `?` and
            `[...]` stand for what they do in a shell. Each must fit one at least.
    """

    photos: str = "auto"
    validation: float = 0.05
    test: float = 0.05
    near_duplicates: Literal["group", "ignore"] = "group"
    official_lr: bool = False
    leave_out: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        """Checks the values.

        Raises:
            ValueError: A value is out of its range.
        """
        if not self.photos.strip():
            raise ValueError("photos must be auto, a set's name or the absolute path of a folder")
        for name in ("validation", "test"):
            if not 0 <= getattr(self, name) < 1:
                raise ValueError(f"{name} must be a share, 0 or more and less than 1")
        if self.validation + self.test >= 1:
            raise ValueError("validation must leave something to train on, together with test")


@dataclass(frozen=True, slots=True)
class Photo:
    """A row of photos.csv.

    Attributes:
        photo: Its name in the project: unique, with forward slashes.
        split: train, validation or test.
        path: Absolute, or relative to the table's folder.
        bytes: Size of the file.
        sha256: Of the file.
        lr: The absolute path of its official LR picture; '': LR is made of HR.
        lr_sha256: Of that file; '' where there is none.
    """

    photo: str
    split: str
    path: str
    bytes: int
    sha256: str
    lr: str = ""
    lr_sha256: str = ""


def write_photos(photos: Sequence[Photo], folder: Path) -> None:
    """Writes FOLDER/photos.csv."""
    write_table(folder / _TABLE, [field.name for field in fields(Photo)], map(astuple, photos))


def write_table(path: Path, header: Sequence[str], rows: Iterable[Sequence[object]]) -> None:
    """Writes a CSV file; names that are not UTF-8 survive the way into it and back."""
    with path.open("w", newline="", encoding="utf-8", errors="surrogateescape") as file:
        writer = csv.writer(file, lineterminator="\n")
        writer.writerow(header)
        writer.writerows(rows)


def read_photos(folder: Path) -> list[Photo]:
    """Reads FOLDER/photos.csv; each path then opens from the working directory.

    Raises:
        DataError: There is no such table, or it is not one.
    """
    path = folder / _TABLE
    try:
        with path.open(newline="", encoding="utf-8", errors="surrogateescape") as file:
            rows = list(csv.DictReader(file))
        photos = [
            Photo(
                photo=row["photo"],
                split=row["split"],
                path=str(folder / row["path"]),
                bytes=int(row["bytes"]),
                sha256=row["sha256"],
                lr=row["lr"],
                lr_sha256=row["lr_sha256"],
            )
            for row in rows
        ]
    except FileNotFoundError:
        raise DataError(f"{path}: not found; run the stage `photos`") from None
    except (KeyError, TypeError, ValueError) as error:
        raise DataError(f"{path}: is no table of photographs ({error!r})") from None
    for photo in photos:
        if photo.split not in SPLITS:
            raise DataError(f"{path}: {photo.photo}: unknown split (found {photo.split!r})")
    return photos


def check_splits(photos: Sequence[Photo]) -> None:
    """Refuses a choice with which a later stage would have nothing to do.

    Raises:
        DataError: A split is empty.
    """
    counts = {split: sum(photo.split == split for photo in photos) for split in SPLITS}
    if empty := [split for split, count in counts.items() if not count]:
        found = ", ".join(f"{count} for {split}" for split, count in counts.items())
        raise DataError(
            f"data.photos: no photograph for {' and '.join(empty)} (found {found}); give all of "
            "the sub-folders train, validation and test, or none and three photographs or more "
            "that do not show the same (groups.csv)"
        )
