"""Small grey pictures of photographs, by worker processes: enough to find near duplicates."""

import io
import os
import warnings
from collections.abc import Mapping
from contextlib import suppress
from functools import partial
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import BinaryIO

import numpy as np
import rawpy
from numpy.typing import NDArray
from PIL import ExifTags, Image

from srmodels.data.executor.processes import ProcessExecutor
from srmodels.data.executor.run import run
from srmodels.data.executor.task import Task
from srmodels.data.executor.time_limit import ProgressNote
from srmodels.data.photos.table import Photo
from srmodels.errors import PhotoError
from srmodels.images.file_types import detect_kind
from srmodels.images.orientation import apply_orientation
from srmodels.images.readers.decode import read

SIDE = 32
Thumbnail = NDArray[np.uint8]

_ORIENTATIONS = {3: 3, 5: 8, 6: 6}  # LibRaw's turns, as EXIF numbers them
_CHUNK = 32  # photographs per task at most


def _shrink(image: Image.Image) -> Image.Image:
    return image.convert("L").resize((SIDE, SIDE), Image.Resampling.BOX)


def _jpeg_thumbnail(file: BinaryIO, orientation: int = 1) -> tuple[Thumbnail, float]:
    """The thumbnail, and width over height before turning; `orientation` where EXIF has none."""
    image = Image.open(file, formats=("JPEG",))
    width, height = image.size
    exif = image.getexif().get(ExifTags.Base.Orientation, 1)
    # libjpeg then decodes every eighth frequency only, and no colour
    image.draft("L", (4 * SIDE, 4 * SIDE))
    grey = np.asarray(_shrink(image))
    return apply_orientation(grey, orientation if exif == 1 else exif), width / height


def _raw_thumbnail(file: BinaryIO) -> Thumbnail | None:
    """From the preview in a RAW; None if there is none, or if it has bars at its sides."""
    with rawpy.RawPy() as raw:
        raw.open_buffer(file)
        preview = raw.extract_thumb()
        if preview.format != rawpy.ThumbFormat.JPEG:
            return None
        sizes = raw.sizes
        orientation = _ORIENTATIONS.get(sizes.flip, 1)
        grey, aspect = _jpeg_thumbnail(io.BytesIO(preview.data), orientation)
    return grey if abs(aspect * sizes.height / sizes.width - 1) < 0.03 else None


def _fast_thumbnail(path: Path) -> Thumbnail | None:
    with path.open("rb") as file:
        head = file.read(3)
        file.seek(0)
        if head == b"\xff\xd8\xff":
            return _jpeg_thumbnail(file)[0]
        if detect_kind(file) != "RAW":
            return None
        file.seek(0)
        return _raw_thumbnail(file)


def thumbnail(path: Path) -> Thumbnail:
    """uint8 (32, 32), grey, upright: a JPEG at an eighth, a RAW's preview, else in full."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        try:
            grey = _fast_thumbnail(path)
        except Exception:  # noqa: BLE001 - `read` says what is wrong, if anything is
            grey = None
    if grey is None:
        grey = np.asarray(
            _shrink(Image.fromarray(read(path, half_size=True, hdr="tonemap").pixels))
        )
    return grey


def _work(task: Task, *, notes: Path, seconds: float) -> dict[str, Thumbnail]:
    note, computed = ProgressNote(notes, task, seconds), dict[str, Thumbnail]()
    todo = [photo for photo in task.photos if photo.photo not in task.excluded]
    for photo in todo:
        with note.begin(photo.photo), suppress(PhotoError):
            computed[photo.photo] = thumbnail(Path(photo.path))
    return computed


def _remembered(memory: Path) -> dict[str, Thumbnail]:
    """Thumbnails of earlier runs; a line that a killed run left unfinished is ignored."""
    known = {}
    with suppress(FileNotFoundError), memory.open(encoding="ascii", errors="replace") as file:
        for line in file:
            digest, _, pixels = line.partition(" ")
            with suppress(ValueError):
                known[digest] = np.frombuffer(bytes.fromhex(pixels), np.uint8).reshape(SIDE, SIDE)
    return known


def thumbnails(
    paths: Mapping[str, Path], *, workers: int, memory: Path | None = None, seconds: float = 60.0
) -> dict[str, Thumbnail]:
    """Makes thumbnails, uint8 (32, 32), on several processes; keys are the files' SHA-256.

    A photograph that cannot be decoded, at which a process dies, or that takes longer than
    `seconds` has none; the stage `patches` finds out why. `memory` is a file of thumbnails of
    earlier runs, read and added to; its name must change with the code.
    """
    known = _remembered(memory) if memory else {}
    photos = [Photo(key, "", str(path), 0, key) for key, path in paths.items() if key not in known]
    size = max(1, min(_CHUNK, len(photos) // (4 * workers)))
    tasks = [Task(f"{k}", tuple(photos[k : k + size])) for k in range(0, len(photos), size)]
    memory = memory or Path(os.devnull)
    memory.parent.mkdir(parents=True, exist_ok=True)
    with memory.open("a", encoding="ascii") as file, TemporaryDirectory() as notes:

        def keep(_: Task, computed: dict[str, Thumbnail]) -> None:
            known.update(computed)
            # a killed run may have left half a line
            file.writelines(f"\n{key} {grey.tobytes().hex()}" for key, grey in computed.items())

        with ProcessExecutor(workers, preload=["srmodels.data.photos.collect"]) as executor:
            work = partial(_work, notes=Path(notes), seconds=seconds)
            run(
                work,
                tasks,
                executor,
                notes=Path(notes),
                seconds=seconds,
                keep=keep,
                label="thumbnails",
            )
    return {key: known[key] for key in paths if key in known}
