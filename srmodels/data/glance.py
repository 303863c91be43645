"""A glance at every photograph: thumbnails by processes that may die, remembered between runs.

A photograph at which a process dies, or that takes too long, has no thumbnail: nothing can be said
about its likeness, and the stage `patches` finds out what is wrong with it.
"""

import json
import os
import subprocess
import sys
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path
from queue import SimpleQueue
from threading import Timer

import numpy as np
from numpy.typing import NDArray

from srmodels.data.threads import in_threads
from srmodels.data.thumbnail import SIDE

__all__ = ["Thumbnail", "thumbnails"]

Thumbnail = NDArray[np.uint8]


class _Viewer:
    """A process that looks at one photograph at a time; a new one where it has died."""

    def __init__(self, limit: float) -> None:
        self._limit = limit
        self._process: subprocess.Popen[str] | None = None

    def _start(self) -> subprocess.Popen[str]:
        package = str(Path(__file__).parents[2])
        return subprocess.Popen(
            [sys.executable, "-m", "srmodels.data.thumbnail"],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            text=True,
            env={**os.environ, "PYTHONPATH": package},
            start_new_session=True,  # Ctrl-C is for us; it ends when its input does
        )

    def look(self, path: Path) -> Thumbnail | None:
        """The thumbnail; None where there is none, the process died or was too slow."""
        if self._process is None:
            self._process = self._start()
        process = self._process
        assert process.stdin is not None and process.stdout is not None  # noqa: PT018
        timer = Timer(self._limit, process.kill)
        timer.start()
        try:
            process.stdin.write(json.dumps(os.fspath(path)) + "\n")
            process.stdin.flush()
            answer = process.stdout.readline()
        except BrokenPipeError:
            answer = ""
        finally:
            timer.cancel()
        if not answer.endswith("\n"):
            self.close()
        return _thumbnail_of(answer)

    def close(self) -> None:
        """Ends the process."""
        if self._process is not None:
            self._process.kill()
            with suppress(BrokenPipeError):
                self._process.communicate()
            self._process = None


def _thumbnail_of(text: str) -> Thumbnail | None:
    with suppress(ValueError):
        values = np.frombuffer(bytes.fromhex(text), np.uint8)
        return values.reshape(SIDE, SIDE)
    return None


def _recall(memory: Path) -> dict[str, Thumbnail]:
    """What earlier runs saw; a line that a killed run left unfinished counts for nothing."""
    known = {}
    with suppress(FileNotFoundError), memory.open(encoding="ascii", errors="replace") as file:
        for line in file:
            digest, _, text = line.partition(" ")
            if (seen := _thumbnail_of(text)) is not None:
                known[digest] = seen
    return known


def thumbnails(
    paths: Mapping[str, Path], *, workers: int, memory: Path | None = None, limit: float = 60.0
) -> dict[str, Thumbnail]:
    """Looks at photographs, on several cores.

    Args:
        paths: Photographs by the SHA-256 of their files.
        workers: Processes.
        memory: A file of thumbnails of earlier runs, read and added to; the result is the same
            without it, as long as its name changes with the code. None: no memory.
        limit: Seconds that a photograph may take.

    Returns:
        uint8 (32, 32) by SHA-256; those that cannot be decoded are missing.
    """
    known = _recall(memory) if memory else {}
    found = {digest: known[digest] for digest in paths if digest in known}
    todo = [digest for digest in paths if digest not in known]
    viewers: SimpleQueue[_Viewer] = SimpleQueue()
    pool = [_Viewer(limit) for _ in range(workers)]
    for viewer in pool:
        viewers.put(viewer)

    def look(digest: str) -> Thumbnail | None:
        viewer = viewers.get()
        try:
            return viewer.look(paths[digest])
        finally:
            viewers.put(viewer)

    if memory:
        memory.parent.mkdir(parents=True, exist_ok=True)
    try:
        with (memory or Path(os.devnull)).open("a", encoding="ascii") as file:
            views = in_threads(look, todo, workers=workers, label="likeness")
            for digest, seen in zip(todo, views, strict=True):
                if seen is not None:
                    found[digest] = seen
                    file.write(f"\n{digest} {seen.tobytes().hex()}")  # after half a line, too
    finally:
        for viewer in pool:
            viewer.close()
    return found
