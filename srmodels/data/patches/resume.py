"""What earlier runs have finished, so that a run does only what is missing or has changed.

One JSON record per finished task: a fingerprint of all that its result depends on, its files with
sizes and times, its rows of the index and of the manifest. The records lie outside the patches, or
DVC would take a change of code that changes no pixel for a change of the data.
"""

import hashlib
import json
import re
from collections.abc import Iterable, Sequence
from dataclasses import asdict, astuple
from importlib.metadata import PackageNotFoundError, distributions, requires, version
from pathlib import Path

from srmodels.atomic import write_json
from srmodels.data.executor.task import Task
from srmodels.data.patches.manifest import ManifestRow, is_transient
from srmodels.data.patches.settings import PatchSettings
from srmodels.data.patches.worker import TaskResult
from srmodels.data.store.index import Row

# settings without effect on a task's result, or only on which photographs a task has
_IRRELEVANT = {"executor", "scheduler", "workers", "max_skipped", "seconds_per_photo", "shards"}

_TRAINING_ONLY = {
    *("patch_size", "stride", "also_reduced_to", "min_deviation", "max_per_photo", "store")
}


def _libraries() -> list[str]:
    """The packages that this one requires, in their installed versions: some decide pixels."""
    try:
        required = [line for line in requires("srmodels") or () if "extra ==" not in line]
        names = {match.group() for line in required if (match := re.match(r"[\w.-]+", line))}
        return [f"{name} {version(name)}" for name in sorted(names)]
    except PackageNotFoundError:  # used without being installed: then every package
        return sorted(f"{package.name} {package.version}" for package in distributions())


class ResumeLog:
    """The records of one folder of patches; with `records` None, nothing is recorded or found."""

    def __init__(
        self, records: Path | None, folder: Path, *, settings: PatchSettings, scale: int, code: str
    ) -> None:
        self._records, self._folder = records, folder
        shard_settings = {
            key: value for key, value in asdict(settings).items() if key not in _IRRELEVANT
        }
        image_settings = {
            key: value for key, value in shard_settings.items() if key not in _TRAINING_ONLY
        }
        facts = [scale, code, _libraries()] if records else []
        self._facts = {True: [shard_settings, *facts], False: [image_settings, *facts]}

    def _path(self, task: Task) -> Path | None:
        return self._records / f"{task.name}.json" if self._records else None

    def _fingerprint(self, task: Task) -> str:
        photos = [
            (photo.photo, photo.split, photo.sha256, photo.lr_sha256, photo.lr_from)
            for photo in task.photos
        ]
        facts = [*self._facts[task.photos[0].split == "train"], photos]
        return hashlib.sha256(json.dumps(facts).encode()).hexdigest()

    def _stamps(self, files: Iterable[str]) -> dict[str, list[int]]:
        stats = {name: (self._folder / name).stat() for name in files}
        return {name: [stat.st_size, stat.st_mtime_ns] for name, stat in stats.items()}

    def find(self, task: Task) -> TaskResult | None:
        """The result of an earlier run; None if it is missing or out of date."""
        path = self._path(task)
        if path is None:
            return None
        try:
            record = json.loads(path.read_text(encoding="utf-8"))
            if record["fingerprint"] != self._fingerprint(task):
                return None
            if record["files"] != self._stamps(record["files"]):
                return None
            manifest = tuple(ManifestRow(*values) for values in record["lines"])
            rows = tuple(Row(*values) for values in record["rows"])
        except (OSError, ValueError, KeyError, TypeError):  # missing, cut off, of another version
            return None
        return TaskResult(manifest, rows, tuple(record["files"]))

    def add(self, task: Task, result: TaskResult) -> None:
        """Records a task, unless a photograph was skipped for a reason that may pass."""
        path = self._path(task)
        if path is None or any(is_transient(row.skipped) for row in result.manifest):
            return
        record = {
            "fingerprint": self._fingerprint(task),
            "files": self._stamps(result.files),
            "lines": [astuple(row) for row in result.manifest],
            "rows": [astuple(row) for row in result.rows],
        }
        write_json(path, record)

    def keep_only(self, tasks: Sequence[Task]) -> None:
        """Makes the folder of records and removes those of other tasks."""
        if self._records is None:
            return
        self._records.mkdir(parents=True, exist_ok=True)
        names = {f"{task.name}.json" for task in tasks}
        for path in self._records.iterdir():
            if path.name not in names:
                path.unlink()
