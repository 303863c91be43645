"""The cache of downloaded data: where it is, one process at a time, and whether there is room."""

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
    """The cache: SRMODELS_DATA, or the system's place for caches (~/.cache/srmodels on Linux).

    Args:
        repository: Absolute. The cache must lie outside of it: git and DVC would go through it,
            and a copy of the repository, as DVC makes them, would fetch everything again.

    Raises:
        DataError: SRMODELS_DATA is relative, or inside the repository.
    """
    given = os.environ.get(FOLDER_VARIABLE, "")
    if not given:
        return platformdirs.user_cache_path("srmodels")
    folder = Path(given).expanduser()
    if not folder.is_absolute() or folder.resolve().is_relative_to(repository):
        raise DataError(
            f"{FOLDER_VARIABLE}: is not the absolute path of a folder outside the repository "
            f"(found {given!r}); name one, such as {platformdirs.user_cache_path('srmodels')}"
        )
    return folder


@contextmanager
def cache_lock(path: Path) -> Iterator[None]:
    """Holds the lock of a file in the cache, so that two experiments do not make it at once.

    Raises:
        DataError: The cache cannot be written to.
    """
    lock = FileLock(path.with_name(f"{path.name}.lock"))
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        try:
            lock.acquire(timeout=0)
        except Timeout:
            log.info("%s: another process is at it; waiting", path.name)
            lock.acquire()
    except OSError as error:
        raise DataError(
            f"{path.parent}: cannot be written ({error.strerror}); "
            f"set {FOLDER_VARIABLE} to a folder that can"
        ) from None
    try:
        yield
    finally:
        lock.release()


def check_disk_space(path: Path, needed: int) -> None:
    """Sees that the disk has room for the file or folder `path` before anything is written.

    Args:
        path: What is going to be written; its parent exists.
        needed: Bytes.

    Raises:
        DataError: It has not.
    """
    free = shutil.disk_usage(path.parent).free
    if needed > free:
        raise DataError(
            f"{path.parent}: too little room for {path.name} (found {free} bytes free); free "
            f"{needed} bytes, or set {FOLDER_VARIABLE} to a folder on a larger disk"
        )
