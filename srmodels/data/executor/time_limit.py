"""The time limit of a photograph, and the note of which photographs a task has begun."""

import faulthandler
import json
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from srmodels.data.executor.task import Task

KILLED = "its decoder crashed or was killed, perhaps for lack of memory"
TOO_SLOW = "takes longer than"


class ProgressNote:
    """The photographs that a task has begun, in a file that outlives a killed process."""

    def __init__(self, folder: Path, task: Task, seconds: float) -> None:
        self._path, self._seconds = folder / f"{task.name}.note", seconds

    @contextmanager
    def begin(self, photo: str) -> Iterator[None]:
        """Notes a photograph and ends this process if the block exceeds the time limit.

        The watchdog is a C thread, so it also ends a C library that holds the interpreter lock.
        Its clock counts while this process is stopped (SIGSTOP, a paused container), but not, on
        Linux and macOS, while the machine sleeps.
        """
        with self._path.open("ab", buffering=0) as file:
            file.write(json.dumps(photo).encode() + b"\n")
            if self._seconds:
                faulthandler.dump_traceback_later(self._seconds, exit=True, file=file)
            try:
                yield
            finally:
                if self._seconds:
                    faulthandler.cancel_dump_traceback_later()

    def read(self) -> tuple[list[str], dict[str, str]]:
        """The photographs begun, in order, and those above the time limit, with the reason."""
        begun, too_slow = list[str](), dict[str, str]()
        with suppress(FileNotFoundError, ValueError):  # a full disk cuts a line off
            for line in self._path.read_text(encoding="utf-8", errors="replace").splitlines():
                if line.startswith('"'):
                    begun.append(json.loads(line))
                elif line.startswith("Timeout ("):  # faulthandler's first line
                    reason = f"{TOO_SLOW} {self._seconds:g} seconds (patches.seconds_per_photo)"
                    too_slow[begun[-1]] = reason
        return begun, too_slow

    def clear(self) -> None:
        """Removes the file."""
        self._path.unlink(missing_ok=True)
