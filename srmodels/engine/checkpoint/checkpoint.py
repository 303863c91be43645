"""Checkpoints: everything a killed training needs to resume, in one folder per configuration.

The folder's name holds a fingerprint of all inputs of the result (settings, data, code, weights),
so a changed configuration starts from step 0, and one that is changed back resumes.
"""

import json
import logging
import os
import shutil
import time
import zipfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

import torch
from filelock import FileLock, Timeout

from srmodels.atomic import replacing, write_bytes
from srmodels.engine.checkpoint.fingerprint import Inputs, differences, fingerprint_of
from srmodels.errors import DataError

log = logging.getLogger(__name__)

FORMAT = 3  # of a checkpoint's content; 2 had no record of the precision


def _read(path: Path, *, mmap: bool = False) -> dict[str, Any]:
    """A checkpoint's content, after comparing every tensor with its CRC-32; torch.load does not."""
    with zipfile.ZipFile(path) as file:
        damaged = file.testzip()
    if damaged is not None:
        raise OSError(f"{damaged} in it does not have its checksum")
    content: dict[str, Any] = torch.load(path, map_location="cpu", weights_only=True, mmap=mmap)
    return content


def _sync_folder(folder: Path) -> None:
    """Writes the renaming to the disk, where the file system can (CIFS refuses)."""
    with suppress(OSError):
        descriptor = os.open(folder, os.O_RDONLY)
        try:
            os.fsync(descriptor)
        finally:
            os.close(descriptor)


class Checkpoints:
    """The last two checkpoints of a training of these inputs: .resume/<stage>-<fingerprint>."""

    def __init__(self, folder: Path, inputs: Inputs | None = None) -> None:
        self.folder = folder
        self.inputs = inputs or {}
        self.path = folder / "checkpoint.pt"
        self.previous = folder / "previous.pt"

    @contextmanager
    def lock(self) -> Iterator[None]:
        """Makes the folder and holds its lock, when no other process trains this configuration.

        Two experiments of a queue have the same pretraining where they differ in the GAN phase.
        """
        lock = FileLock(self.folder.with_name(self.folder.name + ".lock"))
        try:
            self.folder.parent.mkdir(parents=True, exist_ok=True)
            try:
                lock.acquire(timeout=0)
            except Timeout:
                log.warning(
                    "%s: another process trains this configuration. This one waits until that ends",
                    self.folder,
                )
                lock.acquire()
            self.folder.mkdir(exist_ok=True)  # the other process may have removed it
            text = json.dumps(self.inputs, indent=1, sort_keys=True, default=str)
            write_bytes(self.folder / "inputs.json", text.encode())
            for unfinished in self.folder.glob(f".{self.path.name}.*"):  # of a killed process
                unfinished.unlink()
        except OSError as error:
            raise DataError(
                f"{self.folder}: cannot be written (got {error.strerror}). Free the disk or change "
                "the folder's permissions."
            ) from None
        try:
            yield
        finally:
            lock.release()

    def save(self, state: Mapping[str, Any]) -> bool:
        """Replaces the checkpoint after reading the new one back; False if it failed."""
        fingerprint = fingerprint_of(self.inputs)
        content = {"format": FORMAT, "fingerprint": fingerprint, "state": dict(state)}
        try:
            with replacing(self.path) as file:
                torch.save(content, Path(file.name))
                os.fsync(file.fileno())
                _read(Path(file.name), mmap=True)
                if self.path.exists():
                    self.path.replace(self.previous)
            _sync_folder(self.folder)
        except (OSError, RuntimeError, zipfile.BadZipFile) as error:  # a full disk is any of these
            log.warning(
                "%s: not saved (got %s). Free the disk; training continues, but a kill would lose "
                "the steps since the previous checkpoint",
                self.path,
                str(error).partition("\n")[0],
            )
            return False
        return True

    def load(self) -> dict[str, Any] | None:
        """The newest usable state; None, with the reason in the log, to start from step 0."""
        paths = [path for path in (self.path, self.previous) if path.exists()]
        for path in paths:
            try:
                content = _read(path)
            except Exception as error:  # noqa: BLE001 - whatever a damaged file makes torch raise
                reason = str(error).partition("\n")[0] or repr(error)
                log.warning("%s: cannot be read (%s)", path, reason)
                continue
            version = content.get("format", 1)
            if version == FORMAT and content["fingerprint"] == fingerprint_of(self.inputs):
                state: dict[str, Any] = content["state"]
                return state
            problem = "belongs to another configuration"
            if version != FORMAT:
                problem = f"has checkpoint format {version}, this version reads format {FORMAT}"
            log.warning("%s: %s", path, problem)
        if paths:
            log.warning("%s: no usable checkpoint; training starts from step 0", self.folder)
        else:
            self._log_differences()
        return None

    def _log_differences(self) -> None:
        """Logs what differs from the stage's newest unfinished training."""
        stage = self.folder.name.rpartition("-")[0]
        others = self.folder.parent.glob(f"{stage}-*/checkpoint.pt")
        # the file was named facts.json where the checkpoint's format is 1
        inputs = [path for other in others for path in other.parent.glob("*.json")]
        if not inputs:
            return
        newest = max(inputs, key=lambda path: path.stat().st_mtime)
        try:
            before = json.loads(newest.read_text(encoding="utf-8"))
        except (OSError, ValueError):
            return
        log.info(
            "%s starts from step 0: the checkpoint in %s has another configuration; changed: %s",
            stage,
            newest.parent,
            differences(before, self.inputs),
        )

    def remove(self) -> None:
        """Deletes all checkpoints, after the stage has written its outputs."""
        shutil.rmtree(self.folder, ignore_errors=True)
        self.folder.with_name(self.folder.name + ".lock").unlink(missing_ok=True)


_COST_FACTOR = 20  # saving may take at most 1/20 of the time


class CheckpointSchedule:
    """When to save: as `RunSettings.checkpoint_seconds` and `checkpoint_steps` say."""

    def __init__(self, seconds: float, steps: int) -> None:
        self._seconds, self._steps = seconds, steps
        self._saved = time.perf_counter()
        self._cost = 0.0

    def due(self, step: int) -> bool:
        """Whether to save after `step` steps."""
        if self._steps and step % self._steps == 0:
            return True
        pause = max(self._seconds, _COST_FACTOR * self._cost)
        return time.perf_counter() - self._saved >= pause

    def saved(self, seconds: float) -> None:
        """Notes that a checkpoint was saved in so many seconds."""
        self._saved = time.perf_counter()
        self._cost = seconds
