"""How far each task is, in files that outlive a killed process."""

from dataclasses import dataclass, field
from pathlib import Path

from srmodels.data.patches.manifest import ManifestRow
from srmodels.data.photos.table import Photo
from srmodels.data.store.index import Row

__all__ = ["ProgressNote", "Task", "TaskResult"]


@dataclass(frozen=True, slots=True)
class Task:
    """Photographs that one process works through, in order.

    Attributes:
        name: Unique; names the task's file in the diary.
        photos: The photographs.
        left_out: Reasons by photograph: those at which a process died or had to be killed.
    """

    name: str
    photos: tuple[Photo, ...]
    left_out: dict[str, str] = field(default_factory=dict)


class ProgressNote:
    """Where tasks write how far they are: one file each, in a folder that all processes see."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def _path(self, task: Task) -> Path:
        return self._folder / f"{task.name}.now"

    def begin(self, task: Task, photo: Photo, *, done: int) -> None:
        """Notes the photograph that the task is at, and how many it has behind it."""
        path = self._path(task)
        part = path.with_suffix(".part")
        part.write_bytes(f"{done}\n{photo.photo}".encode("utf-8", "surrogateescape"))
        part.replace(path)  # so that nobody reads half a note

    def forget(self, task: Task) -> None:
        """Removes the task's note."""
        self._path(task).unlink(missing_ok=True)

    def at(self, task: Task) -> tuple[int, str | None]:
        """How many photographs the task has behind it, and the one it is at; None: not begun."""
        try:
            text = self._path(task).read_bytes().decode("utf-8", "surrogateescape")
        except FileNotFoundError:
            return 0, None
        done, _, photo = text.partition("\n")
        return int(done), photo


@dataclass(frozen=True, slots=True)
class TaskResult:
    """What a task made.

    Attributes:
        lines: Of the manifest.
        rows: Of the index.
        files: Their names, relative to the folder of patches.
    """

    lines: tuple[ManifestRow, ...]
    rows: tuple[Row, ...]
    files: tuple[str, ...]
