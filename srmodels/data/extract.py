"""All photographs to shards and whole pictures, in parallel; the broken ones skipped and listed.

One task is one shard (or one whole picture), so pixels never travel between processes, and a
process holds one photograph at a time: its peak is about 35 bytes per pixel of the largest one.
"""

import hashlib
import logging
import shutil
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from srmodels.data.cut import PatchSettings, cut
from srmodels.data.decode import Decoded, read
from srmodels.data.manifest import (
    KILLED,
    Line,
    check_lines,
    read_line,
    skipped_line,
    write_report,
)
from srmodels.data.photos import Photo, read_photos
from srmodels.data.pool import Diary, Task, cores, run
from srmodels.data.shard_writer import ShardWriter, shard_of, write_index
from srmodels.data.shards import Row
from srmodels.errors import DataError, PhotoError
from srmodels.resize import crop_to_multiple

__all__ = ["extract"]

log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class _Done:
    lines: list[Line]
    rows: list[Row]


def _file_name(photo: str) -> str:
    """A whole picture's file, unique: trip/a.heic becomes trip__a.heic.png, bird.png stays."""
    name = photo.replace("/", "__")
    if "__" in photo:
        name = hashlib.sha256(photo.encode("utf-8", "surrogateescape")).hexdigest()[:8] + "-" + name
    return name if name.endswith(".png") else f"{name}.png"


def _write_png(pixels: NDArray[np.uint8], path: Path) -> None:
    part = path.with_name(path.name + ".part")
    Image.fromarray(np.ascontiguousarray(pixels)).save(part, "PNG", compress_level=3)
    part.replace(path)


def _open(photo: Photo, settings: PatchSettings) -> Decoded:
    decoded = read(Path(photo.path), half_size=settings.half_size, max_pixels=settings.max_pixels)
    height, width = decoded.pixels.shape[:2]
    if min(height, width) < settings.min_side:
        raise PhotoError(
            f"is too small (found {width}x{height}; patches.min_side is {settings.min_side})"
        )
    return decoded


def _keep(
    photo: Photo, settings: PatchSettings, scale: int, folder: Path, writer: ShardWriter | None
) -> tuple[Line, list[Row]]:
    """Puts one photograph into its shard, or keeps it whole."""
    decoded = _open(photo, settings)
    if writer is None:
        whole = crop_to_multiple(decoded.pixels, scale)
        _write_png(whole, folder / photo.split / _file_name(photo.photo))
        return read_line(photo, decoded), []
    pieces = cut(decoded.pixels, settings, scale)
    rows = writer.add(photo.photo, pieces)
    return read_line(photo, decoded, len(rows), pieces.flat), rows


def _work_through(
    task: Task, settings: PatchSettings, scale: int, folder: Path, writer: ShardWriter | None
) -> _Done:
    diary: Diary[_Done] = Diary(folder / ".work")
    done = _Done([], [])
    for count, photo in enumerate(task.photos, 1):
        if photo.photo in task.killers:
            done.lines.append(skipped_line(photo, KILLED))
            continue
        diary.begin(task, photo)
        try:
            line, rows = _keep(photo, settings, scale, folder, writer)
        except PhotoError as error:
            reason = str(error).removeprefix(f"{Path(photo.path).name}: ")
            line, rows = skipped_line(photo, reason), []
        done.lines.append(line)
        done.rows.extend(rows)
        diary.done(task, count)
    diary.end(task)
    return done


def _work(task: Task, settings: PatchSettings, scale: int, folder: Path) -> _Done:
    """What one process does with one task."""
    try:
        if task.photos[0].split != "train":
            return _work_through(task, settings, scale, folder, None)
        shard = shard_of(task.photos[0].photo, settings.shards)
        train, size = folder / "train", settings.patch_size
        with ShardWriter(train, shard, patch_size=size, scale=scale) as writer:
            return _work_through(task, settings, scale, folder, writer)
    except OSError as error:  # decoding raises PhotoError, so this is about writing
        raise DataError(f"{folder}: cannot be written ({error.strerror or error})") from None


def _tasks(photos: Sequence[Photo], shards: int) -> list[Task]:
    by_shard: dict[int, list[Photo]] = {}
    tasks: list[Task] = []
    for photo in sorted(photos, key=lambda each: each.photo):
        if photo.split == "train":
            by_shard.setdefault(shard_of(photo.photo, shards), []).append(photo)
        else:
            tasks.append(Task(f"whole-{len(tasks):06d}", (photo,)))
    return [
        *(Task(f"shard-{shard:03d}", tuple(group)) for shard, group in sorted(by_shard.items())),
        *tasks,
    ]


def _prepare(folder: Path) -> None:
    """Empties what an earlier run wrote, and nothing else."""
    for name in ("train", "validation", "test", ".work"):
        with suppress(FileNotFoundError):
            shutil.rmtree(folder / name)
        (folder / name).mkdir(parents=True)


def extract(
    source: Path, folder: Path, settings: PatchSettings, *, scale: int, metrics: Path
) -> None:
    """Makes the patch store.

    Args:
        source: Folder with photos.csv.
        folder: Gets train/ (shards and index), validation/ and test/ (whole pictures, PNG) and
            manifest.csv; the same bytes for any number of processes.
        settings: How to cut.
        scale: HR over LR.
        metrics: The JSON file for counts.

    Raises:
        DataError: Too many photographs are broken, none is left to train on, or the folder cannot
            be written. What was made until then stays.
    """
    photos = read_photos(source)
    if not photos:
        raise DataError(f"{source}: lists no photograph; run the stage `photos`")
    try:
        _prepare(folder)
        work = partial(_work, settings=settings, scale=scale, folder=folder)
        tasks = _tasks(photos, settings.shards)
        diary: Diary[_Done] = Diary(folder / ".work")
        results = run(work, tasks, workers=settings.workers or cores(), diary=diary)
        done = [results[task.name] for task in tasks]
        lines = sorted((line for each in done for line in each.lines), key=lambda line: line.photo)
        rows = [row for each in done for row in each.rows]
        if rows:
            write_index(rows, folder / "train")
        write_report(lines, folder, metrics)
    except OSError as error:
        where = error.filename or folder
        raise DataError(f"{where}: cannot be written ({error.strerror or error})") from None
    finally:
        shutil.rmtree(folder / ".work", ignore_errors=True)
    check_lines(lines, folder, settings)
    log.info("%d patches of %d photographs", len(rows), len(lines))
