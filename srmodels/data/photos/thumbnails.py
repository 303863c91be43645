"""A small grey picture of a photograph, cheaply: enough to tell whether two show the same.

Run as a program it is a process of `glance`: a path a line in (JSON, since names hold newlines),
the thumbnail's bytes in hexadecimal digits a line out, an empty line where there is no thumbnail.

A glance at every photograph: thumbnails by processes that may die, remembered between runs.

A photograph at which a process dies, or that takes too long, has no thumbnail: nothing can be said
about its likeness, and the stage `patches` finds out what is wrong with it.

Work on several threads, in order, with a bar; and how many cores there are.
"""

import io
import json
import os
import subprocess
import sys
import warnings
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from pathlib import Path
from queue import SimpleQueue
from threading import Timer
from typing import BinaryIO, TypeVar

import numpy as np
import rawpy
from numpy.typing import NDArray
from PIL import ExifTags, Image
from tqdm import tqdm

from srmodels.errors import PhotoError
from srmodels.images.colour import apply_orientation
from srmodels.images.file_types import detect_reader
from srmodels.images.readers.decode import read

__all__ = ["SIDE", "Thumbnail", "in_threads", "thumbnail", "thumbnails"]

SIDE = 32

_ORIENTATIONS = {3: 3, 5: 8, 6: 6}  # LibRaw's turns, as EXIF numbers them


def _shrunk(image: Image.Image) -> Image.Image:
    return image.convert("L").resize((SIDE, SIDE), Image.Resampling.BOX)


def _of_jpeg(file: BinaryIO, turn: int = 1) -> tuple[NDArray[np.uint8], float]:
    """The thumbnail, and width over height before turning; `turn` where EXIF gives none."""
    image = Image.open(file, formats=("JPEG",))
    width, height = image.size
    orientation = image.getexif().get(ExifTags.Base.Orientation, 1)
    # libjpeg then decodes every eighth frequency only, and no colour
    image.draft("L", (4 * SIDE, 4 * SIDE))
    grey = np.asarray(_shrunk(image))
    return apply_orientation(grey, turn if orientation == 1 else orientation), width / height


def _of_raw(file: BinaryIO) -> NDArray[np.uint8] | None:
    """By the preview inside a RAW; None where it has none, or one with bars at its sides."""
    with rawpy.RawPy() as raw:
        raw.open_buffer(file)
        preview = raw.extract_thumb()
        if preview.format != rawpy.ThumbFormat.JPEG:
            return None
        sizes = raw.sizes
        turn = _ORIENTATIONS.get(sizes.flip, 1)
        grey, aspect = _of_jpeg(io.BytesIO(preview.data), turn)
    return grey if abs(aspect * sizes.height / sizes.width - 1) < 0.03 else None


def _cheaply(path: Path) -> NDArray[np.uint8] | None:
    with path.open("rb") as file:
        head = file.read(64)
        file.seek(0)
        if head.startswith(b"\xff\xd8\xff"):
            return _of_jpeg(file)[0]
        return _of_raw(file) if detect_reader(head, path.suffix) == "raw" else None


def thumbnail(path: Path) -> NDArray[np.uint8]:
    """Looks at a photograph without decoding more of it than needed.

    JPEG is decoded at an eighth of its size, a RAW by the preview the camera put into it; every
    other kind, and what fails so, wholly.

    Returns:
        uint8 (32, 32), grey, upright, whatever the photograph's shape.

    Raises:
        PhotoError: The photograph cannot be decoded.
    """
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        try:
            grey = _cheaply(path)
        except Exception:  # noqa: BLE001 - the whole decoder says what is wrong, if anything is
            grey = None
    if grey is None:
        grey = np.asarray(_shrunk(Image.fromarray(read(path, half_size=True).pixels)))
    return grey


def _serve() -> None:
    answers = os.fdopen(os.dup(1), "w", encoding="ascii")
    os.dup2(2, 1)  # a C library that prints would spoil the answers
    for line in sys.stdin:
        try:
            text = thumbnail(Path(json.loads(line))).tobytes().hex()
        except PhotoError:
            text = ""
        answers.write(f"{text}\n")
        answers.flush()


Thumbnail = NDArray[np.uint8]


class _ThumbnailWorker:
    """A process that looks at one photograph at a time; a new one where it has died."""

    def __init__(self, limit: float) -> None:
        self._limit = limit
        self._process: subprocess.Popen[str] | None = None

    def _start(self) -> subprocess.Popen[str]:
        package = str(Path(__file__).parents[3])
        return subprocess.Popen(
            [sys.executable, "-m", "srmodels.data.photos.thumbnails"],
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
    viewers: SimpleQueue[_ThumbnailWorker] = SimpleQueue()
    pool = [_ThumbnailWorker(limit) for _ in range(workers)]
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


T = TypeVar("T")

R = TypeVar("R")


def in_threads(
    work: Callable[[T], R], photos: Sequence[T], *, workers: int | None, label: str
) -> Iterator[R]:
    """Yields what `work` makes of each photograph, in their order.

    Args:
        work: Called in a thread.
        photos: Whatever stands for the photographs.
        workers: Threads; None: as Python chooses.
        label: Of the bar.
    """
    with ThreadPoolExecutor(workers) as threads:
        try:
            each = threads.map(work, photos)
            yield from tqdm(each, label, len(photos), unit="photo", disable=None)
        except BaseException:  # else Ctrl-C waits for everything that has not begun
            threads.shutdown(cancel_futures=True)
            raise


if __name__ == "__main__":
    _serve()
