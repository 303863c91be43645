"""Whether a setting names a folder of pictures that the pipeline can read."""

import os
from collections.abc import Sequence
from pathlib import Path

from srmodels.errors import DataError

__all__ = ["check_folder"]


def _check_names(where: str, folder: Path) -> None:
    """DVC stops at a name that is not UTF-8, and does not say which it is."""
    for parent, folders, files in os.walk(folder):
        for name in (*folders, *files):
            try:
                name.encode()
            except UnicodeEncodeError:
                path = os.fsencode(Path(parent, name))
                raise DataError(
                    f"{where}: has a name that is not UTF-8, which DVC cannot record (got "
                    f"{path!r}). Rename it."
                ) from None


def check_folder(where: str, value: str, data: Path, *, names: Sequence[str]) -> None:
    """Raises DataError for a path that is missing, or that DVC would read as another folder.

    DVC resolves the setting `where` from the folder `data`, where `auto` and the sets are, and
    knows no `~`. `names` are the values that are no path, for the message.
    """
    folder = data / value
    if not folder.is_dir() and not Path(value).is_absolute():
        meant = Path(value).expanduser().absolute()
        if meant.is_dir():
            raise DataError(
                f"{where}: a path begins in the folder {data}, where this one is not (got "
                f"{value!r}). Give its absolute path, {os.path.normpath(meant)}."
            )
    if not folder.is_dir():
        raise DataError(
            f"{where}: no such folder (got {value!r}). Give the absolute path of a folder of "
            f"pictures, or one of {', '.join(names)}."
        )
    _check_names(where, folder)
