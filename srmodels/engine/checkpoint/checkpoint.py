"""What a killed training needs to go on: one folder per configuration, one file in it, one lock.

The folder's name holds a fingerprint of everything that decides the result (settings, data, code,
input weights), so a changed configuration starts afresh and a configuration changed back goes on.
The file is a zip as PyTorch writes it, with a CRC-32 of every tensor, which PyTorch itself does not
look at when it loads: we do, after every save and before every load. That takes about a fifth of
the time the save takes.

When a training saves: often enough that a kill costs little, seldom enough to cost little.
"""

import json
import logging
import os
import shutil
import time
import zipfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import torch
from filelock import FileLock, Timeout

from srmodels.engine.checkpoint.fingerprint import Facts, differences, fingerprint_of
from srmodels.errors import BusyError, DataError

__all__ = ["CheckpointSchedule", "Checkpoints"]

log = logging.getLogger(__name__)


def _sync(path: Path) -> None:
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def _read(path: Path, *, mapped: bool = False) -> dict[str, Any]:
    """What stands in a checkpoint, after a look at every byte of it; `mapped` copies no tensor."""
    with zipfile.ZipFile(path) as file:
        damaged = file.testzip()
    if damaged is not None:
        raise OSError(f"{damaged} in it does not have its checksum")
    held: dict[str, Any] = torch.load(path, map_location="cpu", weights_only=True, mmap=mapped)
    return held


class Checkpoints:
    """The resume state of one training, in `folder`; written atomically, the last one kept.

    Args:
        folder: `.resume/<stage>-<fingerprint>`; made when missing.
        facts: What the training rests on; their fingerprint stands in every checkpoint, and a later
            training with other facts says from them why it starts afresh.
    """

    def __init__(self, folder: Path, facts: Facts | None = None) -> None:
        self.folder = folder
        self.facts = facts or {}
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
            text = json.dumps(self.facts, indent=1, sort_keys=True, default=str)
            (self.folder / "facts.json").write_text(text + "\n", encoding="utf-8")
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
        """Replaces the checkpoint once the new one has been read back.

        Returns:
            Whether it was; on failure (a full disk) the old one stays.
        """
        temporary = self.folder / "checkpoint.partial"
        try:
            torch.save({"facts": fingerprint_of(self.facts), "state": dict(state)}, temporary)
            _sync(temporary)
            _read(temporary, mapped=True)
            if self.path.exists():
                self.path.replace(self.previous)
            temporary.replace(self.path)
            _sync(self.folder)
        except (OSError, RuntimeError, zipfile.BadZipFile) as error:  # a full disk is any of these
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
        paths = [path for path in (self.path, self.previous) if path.exists()]
        for path in paths:
            try:
                held = _read(path)
            except Exception as error:  # noqa: BLE001 - whatever a damaged file makes torch raise
                reason = str(error).partition("\n")[0] or repr(error)
                log.warning("%s: cannot be read (%s); trying the one before it", path, reason)
                continue
            if held["facts"] != fingerprint_of(self.facts):
                log.warning("%s: is of another configuration; trying the one before it", path)
                continue
            state: dict[str, Any] = held["state"]
            return state
        if paths:
            log.warning("%s: no checkpoint can be used; the training starts afresh", self.folder)
        else:
            self._say_why_afresh()
        return None

    def _say_why_afresh(self) -> None:
        """Where another configuration of this stage was left unfinished, what sets it apart."""
        stage = self.folder.name.rpartition("-")[0]
        others = [each.parent for each in self.folder.parent.glob(f"{stage}-*/checkpoint.pt")]
        facts = [path for each in others if (path := each / "facts.json").exists()]
        if not facts:
            return
        newest = max(facts, key=lambda path: path.stat().st_mtime)
        try:
            before = json.loads(newest.read_text(encoding="utf-8"))
        except (OSError, ValueError):
            return
        log.info(
            "%s starts afresh: %s is the state of another configuration. What differs: %s",
            stage,
            newest.parent,
            differences(before, self.facts),
        )

    def remove(self) -> None:
        """Forgets the state, after the stage's outputs are safely written."""
        shutil.rmtree(self.folder, ignore_errors=True)
        self.folder.with_name(self.folder.name + ".lock").unlink(missing_ok=True)


_SHARE = 20  # by time, a checkpoint may cost at most one part in so many


class CheckpointSchedule:
    """The steps and seconds since the last checkpoint.

    Args:
        seconds: Least time between two checkpoints; a slow disk gets more.
        steps: Steps between two checkpoints, beside those by time; 0 is by time alone.
    """

    def __init__(self, *, seconds: float, steps: int) -> None:
        self._seconds, self._steps = seconds, steps
        self._saved = time.perf_counter()
        self._cost = 0.0

    def due(self, step: int) -> bool:
        """Whether to save after `step` steps."""
        if self._steps and step % self._steps == 0:
            return True
        pause = max(self._seconds, _SHARE * self._cost)
        return time.perf_counter() - self._saved >= pause

    def saved(self, seconds: float) -> None:
        """Takes note of a checkpoint and of what it cost."""
        self._saved = time.perf_counter()
        self._cost = seconds
