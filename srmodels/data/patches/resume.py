"""What earlier runs have done, so that a run goes on where one was killed, and redoes what changed.

Beside the patches lies a folder with one record per finished task: a fingerprint of all that its
result depends on, the files it made with their sizes and times, and its rows of the index and of
the manifest. A task whose record and files agree is not done again. The records are no part of the
patches: else a change of code that changes no pixel would be a change of the data.
"""

import hashlib
import json
import re
from collections.abc import Iterable, Sequence
from dataclasses import asdict, astuple
from importlib.metadata import PackageNotFoundError, distributions, requires, version
from pathlib import Path

from srmodels.data.patches.manifest import ManifestRow, is_transient
from srmodels.data.patches.settings import PatchSettings
from srmodels.data.patches.task import Task, TaskResult
from srmodels.data.store.index import Row

__all__ = ["ResumeLog"]

# Who does the work, or decided by the photographs of a task.
_SILENT = {"executor", "scheduler", "workers", "max_skipped", "seconds_per_photo", "shards"}

_FOR_TRAINING = {
    *("patch_size", "stride", "also_reduced_to", "min_deviation", "max_per_photo", "store"),
}


def _libraries() -> list[str]:
    """The packages this one asks for, in their installed versions: some of them make pixels."""
    try:
        wanted = [each for each in requires("srmodels") or () if "extra ==" not in each]
        names = {match.group() for each in wanted if (match := re.match(r"[\w.-]+", each))}
        return [f"{name} {version(name)}" for name in sorted(names)]
    except PackageNotFoundError:  # used without being installed: then all that there is
        return sorted(f"{each.name} {each.version}" for each in distributions())


class ResumeLog:
    """The records of one folder of patches.

    Args:
        records: Their folder; None: nothing is recorded and nothing found.
        folder: Where the patches lie.
        settings: How they are cut.
        scale: HR over LR.
        code: A digest of the code.
    """

    def __init__(
        self, records: Path | None, folder: Path, *, settings: PatchSettings, scale: int, code: str
    ) -> None:
        self._records, self._folder = records, folder
        values = {key: value for key, value in asdict(settings).items() if key not in _SILENT}
        whole = {key: value for key, value in values.items() if key not in _FOR_TRAINING}
        facts = [scale, code, _libraries()] if records else []
        self._facts = {True: [values, *facts], False: [whole, *facts]}

    def _path(self, task: Task) -> Path | None:
        return self._records / f"{task.name}.json" if self._records else None

    def _fingerprint(self, task: Task) -> str:
        photos = [(each.photo, each.split, each.sha256, each.lr_sha256) for each in task.photos]
        facts = [*self._facts[task.photos[0].split == "train"], photos]
        return hashlib.sha256(json.dumps(facts).encode()).hexdigest()

    def _stamps(self, files: Iterable[str]) -> dict[str, list[int]]:
        stats = {name: (self._folder / name).stat() for name in files}
        return {name: [stat.st_size, stat.st_mtime_ns] for name, stat in stats.items()}

    def find(self, task: Task) -> TaskResult | None:
        """What an earlier run made of a task; None where that is missing or not the same."""
        path = self._path(task)
        if path is None:
            return None
        try:
            record = json.loads(path.read_text(encoding="utf-8"))
            if record["fingerprint"] != self._fingerprint(task):
                return None
            if record["files"] != self._stamps(record["files"]):
                return None
            lines = tuple(ManifestRow(*values) for values in record["lines"])
            rows = tuple(Row(*values) for values in record["rows"])
        except (OSError, ValueError, KeyError, TypeError):  # not there, cut off, of another version
            return None
        return TaskResult(lines, rows, tuple(record["files"]))

    def add(self, task: Task, done: TaskResult) -> None:
        """Records a task, unless a photograph was skipped for what may not happen again."""
        path = self._path(task)
        if path is None or any(is_transient(line.skipped) for line in done.lines):
            return
        record = {
            "fingerprint": self._fingerprint(task),
            "files": self._stamps(done.files),
            "lines": [astuple(line) for line in done.lines],
            "rows": [astuple(row) for row in done.rows],
        }
        part = path.with_suffix(".part")
        part.write_text(json.dumps(record), encoding="utf-8")
        part.replace(path)

    def keep_only(self, tasks: Sequence[Task]) -> None:
        """Makes the folder of records, without those of other tasks."""
        if self._records is None:
            return
        self._records.mkdir(parents=True, exist_ok=True)
        names = {f"{task.name}.json" for task in tasks}
        for path in self._records.iterdir():
            if path.name not in names:
                path.unlink()
