"""The photographs of a folder, and the reason why each other file is none."""

import os
import stat
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from srmodels.errors import DataError
from srmodels.images.file_types import is_photo
from srmodels.images.readers.decode import decode

__all__ = ["list_files", "photo_files", "whole_images"]

# thumbnails and resource forks
_SYSTEM_FOLDERS = frozenset({"__MACOSX", "@eaDir"})


def _visible(name: str) -> bool:
    return not name.startswith(".") and name not in _SYSTEM_FOLDERS


def _walk(folder: Path, skipped: list[tuple[Path, str]]) -> Iterator[Path]:
    """Yields every visible file; folders that cannot be entered go to `skipped`."""
    errors: list[OSError] = []
    for parent, folders, files in os.walk(folder, onerror=errors.append):
        folders[:] = [name for name in folders if _visible(name)]
        yield from (Path(parent, name) for name in files if _visible(name))
        # not followed: a link can lead back up, and DVC watches nothing behind it
        links = [name for name in folders if os.path.islink(os.path.join(parent, name))]  # noqa: PTH114, PTH118 - 20,000 of them
        skipped += [
            (Path(parent, name), "is a link to a folder. Name that folder instead")
            for name in links
        ]
    for error in errors:
        if Path(error.filename) == folder:
            raise error
        skipped.append((Path(error.filename), f"cannot be listed ({error.strerror})"))


def _reason_against(path: Path) -> str:
    """Why a file is no photograph; '' for a photograph."""
    try:
        if not stat.S_ISREG(path.stat().st_mode):
            return "is no file but a device, a pipe or a socket"
        return "" if is_photo(path) else "is no photograph"
    except OSError as error:
        return f"cannot be opened ({error.strerror})"


def list_files(folder: Path) -> tuple[list[Path], list[tuple[Path, str]]]:
    """The photographs below a folder, and all other files with the reason, both sorted.

    Hidden files are left out. Raises OSError if the folder itself cannot be listed.
    """
    photos: list[Path] = []
    others: list[tuple[Path, str]] = []
    for path in _walk(folder, others):
        if reason := _reason_against(path):
            others.append((path, reason))
        else:
            photos.append(path)
    return sorted(photos, key=lambda path: path.relative_to(folder).as_posix()), sorted(others)


def photo_files(folder: Path) -> list[Path]:
    """The photographs below a folder, sorted by name."""
    return list_files(folder)[0]


def whole_images(folder: Path) -> list[tuple[str, NDArray[np.uint8]]]:
    """Reads all images below a folder as (name, uint8 (H, W, 3)), sorted.

    A name has its suffix if two images share the stem. Raises DataError if the folder is missing,
    PhotoError if an image cannot be decoded, as a score over the rest would not be comparable.
    """
    if not folder.is_dir():
        raise DataError(f"{folder}: no such folder. Name a folder of images.")
    names = [path.relative_to(folder) for path in photo_files(folder)]
    stems = Counter(name.with_suffix("") for name in names)
    return [
        (
            (name if stems[name.with_suffix("")] > 1 else name.with_suffix("")).as_posix(),
            decode(folder / name),
        )
        for name in names
    ]
