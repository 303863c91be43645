"""Whether `data.photos` names a folder that the pipeline can read."""

import os
from pathlib import Path

from srmodels.errors import DataError

__all__ = ["check_folder"]


def _check_names(folder: Path) -> None:
    """DVC stops at a name that is not UTF-8, and does not say which it is."""
    for parent, folders, files in os.walk(folder):
        for name in (*folders, *files):
            try:
                name.encode()
            except UnicodeEncodeError:
                path = os.fsencode(Path(parent, name))
                raise DataError(
                    f"data.photos: has a name that is not UTF-8, which DVC cannot record (got "
                    f"{path!r}). Rename it."
                ) from None


def check_folder(photos: str, data: Path) -> None:
    """Raises DataError for a path that DVC would read as another folder, or not at all.

    DVC resolves `data.photos` from the folder `data`, where `auto` and the sets are, and knows no
    `~`. Names of sets and missing folders are left to the stage `photos`.
    """
    folder = data / photos
    if not folder.is_dir() and not Path(photos).is_absolute():
        meant = Path(photos).expanduser().absolute()
        if meant.is_dir():
            raise DataError(
                f"data.photos: a path begins in the folder {data}, where this one is not (got "
                f"{photos!r}). Give its absolute path, {os.path.normpath(meant)}, or run `srmodels "
                f"use {photos}`."
            )
    _check_names(folder)
