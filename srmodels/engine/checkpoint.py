"""What a killed training needs to go on: one folder per configuration, one file in it, one lock.

The folder's name holds a fingerprint of everything that decides the result (settings, data, code,
input weights), so a changed configuration starts afresh and a configuration changed back goes on.
"""

import hashlib
import json
import logging
import os
import shutil
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import torch
from filelock import FileLock, Timeout

from srmodels.errors import BusyError, DataError

__all__ = ["Checkpoints", "fingerprint_of"]

log = logging.getLogger(__name__)


def fingerprint_of(facts: Mapping[str, object]) -> str:
    """Twelve hexadecimal digits that change when any of the facts (JSON values) does."""
    text = json.dumps(facts, sort_keys=True, default=str)
    return hashlib.sha256(text.encode()).hexdigest()[:12]


def _sync(path: Path) -> None:
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


class Checkpoints:
    """The resume state of one training, in `folder`; written atomically, the last one kept.

    Args:
        folder: `.resume/<stage>-<fingerprint>`; made when missing.
    """

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.path = folder / "checkpoint.pt"
        self.previous = folder / "previous.pt"

    @contextmanager
    def held(self) -> Iterator[None]:
        """Holds the folder for this process.

        Raises:
            BusyError: Another living process trains this very configuration.
            DataError: The folder cannot be written.
        """
        try:
            self.folder.mkdir(parents=True, exist_ok=True)
            lock = FileLock(self.folder.with_name(self.folder.name + ".lock"), timeout=0)
            lock.acquire()
        except Timeout:
            raise BusyError(
                f"{self.folder}: another process is training this very configuration; "
                "wait for it, or end it and run again (it goes on from its last checkpoint)"
            ) from None
        except OSError as error:
            raise DataError(f"{self.folder}: cannot be written ({error.strerror})") from None
        try:
            yield
        finally:
            lock.release()

    def save(self, state: Mapping[str, Any]) -> bool:
        """Replaces the checkpoint; on failure (a full disk) the old one stays and False is told."""
        temporary = self.folder / "checkpoint.partial"
        try:
            torch.save(dict(state), temporary)
            _sync(temporary)
            if self.path.exists():
                self.path.replace(self.previous)
            temporary.replace(self.path)
            _sync(self.folder)
        except (OSError, RuntimeError) as error:  # torch reports a full disk as RuntimeError
            temporary.unlink(missing_ok=True)
            reason = str(error).splitlines()[0]
            log.warning(
                "%s: not saved (%s); training goes on, but a kill would cost the steps since the "
                "checkpoint before it, if there is one. Is the disk full?",
                self.path,
                reason,
            )
            return False
        return True

    def load(self) -> dict[str, Any] | None:
        """The newest state that reads back, or None when there is none."""
        for path in (self.path, self.previous):
            if not path.exists():
                continue
            try:
                state: dict[str, Any] = torch.load(path, map_location="cpu", weights_only=True)
            except Exception as error:  # noqa: BLE001 - whatever a damaged file makes torch raise
                log.warning("%s: cannot be read (%s); trying the one before it", path, error)
                continue
            return state
        return None

    def remove(self) -> None:
        """Forgets the state, after the stage's outputs are safely written."""
        shutil.rmtree(self.folder, ignore_errors=True)
        self.folder.with_name(self.folder.name + ".lock").unlink(missing_ok=True)
