"""Which files below a folder are photographs, and why the others are none."""

import os
import stat
from collections.abc import Iterator
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from srmodels.errors import DataError
from srmodels.images.file_types import is_photo
from srmodels.images.readers.decode import decode

__all__ = ["list_files", "photo_files", "whole_images"]

# Folders of thumbnails and resource forks that systems put beside photographs.
_SYSTEM_FOLDERS = frozenset({"__MACOSX", "@eaDir"})


def _visible(name: str) -> bool:
    return not name.startswith(".") and name not in _SYSTEM_FOLDERS


def _walk(folder: Path, unread: list[tuple[Path, str]]) -> Iterator[Path]:
    """Every visible file, or what may be one; folders that cannot be entered go to `unread`."""
    errors: list[OSError] = []
    for place, folders, files in os.walk(folder, onerror=errors.append):
        folders[:] = [name for name in folders if _visible(name)]
        yield from (Path(place, name) for name in files if _visible(name))
        # not followed: a link can lead back up, and DVC watches nothing behind it
        links = [Path(place, name) for name in folders if os.path.islink(os.path.join(place, name))]  # noqa: PTH114, PTH118 - 20,000 of them
        unread += [(path, "is a link to a folder; name that folder instead") for path in links]
    for error in errors:
        if Path(error.filename) == folder:
            raise error
        unread.append((Path(error.filename), f"cannot be listed ({error.strerror})"))


def _reason_against(path: Path) -> str:
    """Why a file is no photograph; '' for one that is, by its name or by its content."""
    try:
        if not stat.S_ISREG(path.stat().st_mode):
            return "is no file but a device, a pipe or a socket"
        return "" if is_photo(path) else "is no photograph"
    except OSError as error:
        return f"cannot be opened ({error.strerror})"


def list_files(folder: Path) -> tuple[list[Path], list[tuple[Path, str]]]:
    """All files below a folder, hidden ones left out, in the order of their names.

    Returns:
        Photographs (by name or by content), and everything else with the reason why it is none:
        films, side-car files, links to folders, what cannot be opened. Those do not count as
        photographs that failed.

    Raises:
        OSError: The folder itself cannot be listed.
    """
    photos: list[Path] = []
    others: list[tuple[Path, str]] = []
    for path in _walk(folder, others):
        if reason := _reason_against(path):
            others.append((path, reason))
        else:
            photos.append(path)
    photos.sort(key=lambda path: path.relative_to(folder).as_posix())
    return photos, sorted(others)


def photo_files(folder: Path) -> list[Path]:
    """The photographs below a folder, in the order of their names."""
    return list_files(folder)[0]


def whole_images(folder: Path) -> list[tuple[str, NDArray[np.uint8]]]:
    """Reads all pictures of a folder.

    Args:
        folder: Of validation or test pictures, or a benchmark set; any kind of photograph.

    Returns:
        (name without ending, uint8 (H, W, 3)), in the order of the names; with the ending where
        two pictures share a name.

    Raises:
        DataError: There is no such folder.
        PhotoError: A picture cannot be decoded: a score over the rest would not be comparable.
    """
    if not folder.is_dir():
        raise DataError(f"{folder}: no such folder; the name of a folder of pictures is right")
    paths = photo_files(folder)
    stems = [path.relative_to(folder).with_suffix("").as_posix() for path in paths]
    names = [
        stem if stems.count(stem) == 1 else path.relative_to(folder).as_posix()
        for stem, path in zip(stems, paths, strict=True)
    ]
    return [(name, decode(path)) for name, path in zip(names, paths, strict=True)]
