"""The cache of downloaded data: its folder, its locks, and the check for free disk space."""

import logging
import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import platformdirs
from filelock import FileLock, Timeout

from srmodels.errors import DataError

__all__ = ["FOLDER_VARIABLE", "cache_folder", "cache_lock", "check_disk_space"]

log = logging.getLogger(__name__)

FOLDER_VARIABLE = "SRMODELS_DATA"


def cache_folder(repository: Path) -> Path:
    """The folder SRMODELS_DATA, or the system's cache folder (~/.cache/srmodels on Linux).

    Git must not see it, and DVC's copies of the repository share it.

    Raises:
        DataError: SRMODELS_DATA is a relative path, or inside the repository.
    """
    given = os.environ.get(FOLDER_VARIABLE, "")
    default = platformdirs.user_cache_path("srmodels")
    if not given:
        return default
    folder = Path(given).expanduser()
    if not folder.is_absolute() or folder.resolve().is_relative_to(repository):
        raise DataError(
            f"{FOLDER_VARIABLE}: is not the absolute path of a folder outside the repository "
            f"(got {given!r}). Set one, such as {default}."
        )
    return folder


@contextmanager
def cache_lock(path: Path) -> Iterator[None]:
    """Locks a file of the cache against other processes.

    Raises:
        DataError: The cache cannot be written.
    """
    lock = FileLock(path.with_name(f"{path.name}.lock"))
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        try:
            lock.acquire(timeout=0)
        except Timeout:
            log.info("%s: waiting for another process that works on it", path.name)
            lock.acquire()
    except OSError as error:
        raise DataError(
            f"{path.parent}: cannot be written (got {error.strerror}). "
            f"Set {FOLDER_VARIABLE} to a writable folder."
        ) from None
    try:
        yield
    finally:
        lock.release()


def check_disk_space(path: Path, needed: int) -> None:
    """Checks that `needed` bytes fit on the disk of a file or folder yet to be written.

    Raises:
        DataError: They do not fit.
    """
    free = shutil.disk_usage(path.parent).free
    if needed > free:
        raise DataError(
            f"{path.parent}: too little room for {path.name} (got {free} bytes free). Free "
            f"{needed} bytes, or set {FOLDER_VARIABLE} to a folder on a larger disk."
        )
