"""Which photographs there are, of what content, and in which split: the table photos.csv."""

import csv
import hashlib
import logging
import shutil
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import astuple, dataclass, fields
from pathlib import Path

from tqdm import tqdm

from srmodels.data.bundled import copy_bundled, read_choice
from srmodels.data.kinds import list_files
from srmodels.data.split import SPLITS, assign
from srmodels.errors import DataError

__all__ = ["Photo", "PhotosSettings", "check_splits", "collect", "read_photos", "write_photos"]

log = logging.getLogger(__name__)

_TABLE = "photos.csv"
_OTHERS = "others.csv"


@dataclass(frozen=True, kw_only=True)
class PhotosSettings:
    """Which photographs.

    Attributes:
        photos: `auto` for the preset's own choice, or the absolute path of a folder.
        validation: Share of a folder's photographs that training is watched on.
        test: Share of a folder's photographs that scores are computed on.
    """

    photos: str = "auto"
    validation: float = 0.05
    test: float = 0.05

    def __post_init__(self) -> None:
        """Checks the values.

        Raises:
            ValueError: A value is out of its range.
        """
        if not self.photos.strip():
            raise ValueError("photos must be auto or the absolute path of a folder")
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
    """

    photo: str
    split: str
    path: str
    bytes: int
    sha256: str


def write_photos(photos: Sequence[Photo], folder: Path) -> None:
    """Writes FOLDER/photos.csv."""
    rows = [tuple(str(value) for value in astuple(photo)) for photo in photos]
    _write(folder / _TABLE, [field.name for field in fields(Photo)], rows)


def _write(path: Path, header: list[str], rows: Sequence[Sequence[str]]) -> None:
    # names that are not UTF-8 must survive the way into the table and back
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


def _digest(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def _of_folder(folder: Path, settings: PhotosSettings) -> tuple[list[Photo], list[tuple[str, str]]]:
    """Lists a folder; also the files that are left out, each with its reason."""
    if not folder.is_dir():
        raise DataError(
            f"data.photos: {folder} is no folder (found {settings.photos!r}); give the absolute "
            "path of a folder of photographs, or auto"
        )
    paths, others = list_files(folder)
    left_out = [(path.relative_to(folder).as_posix(), "is no photograph") for path in others]
    if not paths:
        found = f"{len(others)} other files" if others else "nothing"
        raise DataError(f"data.photos: {folder} holds no photograph (found {found})")
    with ThreadPoolExecutor() as threads:
        bar = tqdm(threads.map(_digest, paths), "photos", len(paths), unit="photo", disable=None)
        digests = list(bar)
    first: dict[str, str] = {}
    chosen = []
    for path, digest in zip(paths, digests, strict=True):
        name = path.relative_to(folder).as_posix()
        if digest in first:  # else one picture could be trained and tested on
            left_out.append((name, f"is the same file as {first[digest]}"))
            continue
        first[digest] = name
        chosen.append((name, path, digest))
    splits = assign(first.values(), validation=settings.validation, test=settings.test)
    photos = [
        Photo(name, splits[name], str(path.resolve()), path.stat().st_size, digest)
        for name, path, digest in chosen
    ]
    return photos, left_out


def collect(settings: PhotosSettings, *, preset: str, data: Path) -> list[Photo]:
    """Writes DATA/photos: the table, the bundled photographs, the list of files left out.

    Args:
        settings: What to collect.
        preset: Whose table DATA/auto/PRESET.csv says what `auto` means.
        data: The project's folder of data; a relative `photos` counts from here.

    Raises:
        DataError: There is nothing to collect, or the folder cannot be written.
    """
    target = data / "photos"
    try:
        if settings.photos == "auto":
            choice = read_choice(data / "auto" / f"{preset}.csv")
        else:
            source = data / settings.photos
            if source.resolve().is_relative_to(target.resolve()):
                raise DataError(f"data.photos: {source} is where this stage writes; move it away")
            photos, left_out = _of_folder(source, settings)
        shutil.rmtree(target, ignore_errors=True)
        target.mkdir(parents=True, exist_ok=True)
        if settings.photos == "auto":
            photos, left_out = [], []
            for row, path in copy_bundled(choice, target):
                size = path.stat().st_size
                photos.append(Photo(row.photo, row.split, path.name, size, _digest(path)))
        photos.sort(key=lambda photo: photo.photo)
        write_photos(photos, target)
        _write(target / _OTHERS, ["file", "reason"], sorted(left_out))
    except OSError as error:
        raise DataError(
            f"{error.filename or target}: {error.strerror}; free it and repeat"
        ) from None
    counts = ", ".join(f"{sum(p.split == s for p in photos)} for {s}" for s in SPLITS)
    log.info("%d photographs: %s", len(photos), counts)
    if left_out:
        log.warning("%d files left out, see %s", len(left_out), target / _OTHERS)
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
            "the sub-folders train, validation and test, or none and three photographs or more"
        )
