"""All photographs to shards and whole pictures, in parallel; the broken ones skipped and listed.

One task is one shard (or one whole picture), so pixels never travel between processes. A killed run
loses the shards it was at, and a repeated one goes on with the others; a changed photograph costs
its shard.

A process holds one photograph at a time, however many there are. Beyond what its libraries take at
rest, its peak is so many bytes per pixel of the largest photograph, for patches of side p every s
LR pixels:

    max(D, 4 + 3 F + 3 (1 + F) (p / s)^2 (1 + 1 / scale^2))

The second part is the photograph and its patches; F is the sum of the squares of
`also_reduced_to`, and 3 F more are the reduced photographs. D is decoding: 4 for JPEG, 6 for PNG,
18 for HEIF and 25 for camera RAW. `max_pixels` times that is what a worker can need. The main
process holds the rows of the index, and no pixels.
"""

import hashlib
import logging
import shutil
from collections.abc import Sequence
from contextlib import AbstractContextManager
from dataclasses import replace
from functools import partial
from pathlib import Path

from srmodels.data.patches.cut import PatchSettings
from srmodels.data.patches.executor import Cluster, Crew, Processes, cores, run
from srmodels.data.patches.manifest import MANIFEST, check_rows, write_report
from srmodels.data.patches.resume import ResumeLog
from srmodels.data.patches.task import ProgressNote, Task, TaskResult
from srmodels.data.patches.worker import SCRATCH, cut_task
from srmodels.data.photos.table import Photo, read_photos
from srmodels.data.split import SPLITS
from srmodels.data.store.index import INDEX
from srmodels.data.store.writer import shard_of, write_index
from srmodels.errors import DataError

__all__ = ["extract"]

log = logging.getLogger(__name__)

_Result = tuple[Path, TaskResult]  # a task's own folder, and what is in it


def _tasks(photos: Sequence[Photo], shards: int) -> list[Task]:
    by_shard: dict[int, list[Photo]] = {}
    tasks: list[Task] = []
    for photo in sorted(photos, key=lambda each: each.photo):
        here = replace(photo, path=str(Path(photo.path).absolute()))  # a worker may be elsewhere
        if photo.split == "train":
            by_shard.setdefault(shard_of(photo.photo, shards), []).append(here)
        else:
            digest = hashlib.sha256(photo.photo.encode("utf-8", "surrogateescape")).hexdigest()
            tasks.append(Task(f"whole-{digest[:32]}", (here,)))
    return [
        *(Task(f"shard-{shard:03d}", tuple(group)) for shard, group in sorted(by_shard.items())),
        *tasks,
    ]


def _crew(
    settings: PatchSettings, tasks: Sequence[Task], *, scale: int, folder: Path
) -> AbstractContextManager[Crew[_Result]]:
    its = partial(cut_task, settings=settings, scale=scale, folder=folder.absolute())
    if settings.executor == "dask":
        return Cluster(its, settings.scheduler)
    return Processes(its, min(settings.workers or cores(), len(tasks)))


def _prepare(folder: Path, kept: set[str]) -> None:
    """Removes what an earlier run wrote, but for the files to keep, and nothing else."""
    (folder / "train" / INDEX).unlink(missing_ok=True)  # first: without it no store is complete
    (folder / MANIFEST).unlink(missing_ok=True)
    shutil.rmtree(folder / SCRATCH, ignore_errors=True)
    for name in (*SPLITS, SCRATCH):
        (folder / name).mkdir(parents=True, exist_ok=True)
    for split in SPLITS:
        for path in (folder / split).iterdir():
            if path.is_dir() and not path.is_symlink():
                shutil.rmtree(path)
            elif f"{split}/{path.name}" not in kept:
                path.unlink()


def _run(
    tasks: Sequence[Task],
    done: dict[str, TaskResult],
    *,
    settings: PatchSettings,
    scale: int,
    folder: Path,
    journal: ResumeLog,
) -> None:
    """Runs the tasks that are not done and adds what they made to `done`."""

    def keep(task: Task, result: _Result) -> None:
        own, made = result
        for name in made.files:
            (own / name).replace(folder / name)
        shutil.rmtree(own, ignore_errors=True)
        journal.add(task, made)
        done[task.name] = made

    missing = [task for task in tasks if task.name not in done]
    if not missing:
        return
    missing.sort(key=lambda task: -sum(photo.bytes for photo in task.photos))  # last ones short
    before = sum(len(each.lines) for each in done.values())
    with _crew(settings, missing, scale=scale, folder=folder) as crew:
        diary = ProgressNote(folder / SCRATCH)
        run(missing, crew, diary, limit=settings.seconds_per_photo, keep=keep, before=before)


def extract(
    source: Path,
    folder: Path,
    settings: PatchSettings,
    *,
    scale: int,
    metrics: Path,
    records: Path | None = None,
    code: str = "",
) -> None:
    """Makes the patch store.

    Args:
        source: Folder with photos.csv.
        folder: Gets train/ (shards and index), validation/ and test/ (whole pictures, PNG) and
            manifest.csv; the same bytes for any number of processes, on one machine or several,
            and whatever earlier runs have left there.
        settings: How to cut.
        scale: HR over LR.
        metrics: The JSON file for counts.
        records: Folder of the journal of what is done; None: everything is done anew.
        code: A digest of the code that decides pixels; another one, and everything is done anew.

    Raises:
        DataError: Too many photographs are broken, none is left to train on, or the folder cannot
            be written. What was made until then stays.
    """
    photos = read_photos(source)
    if not photos:
        raise DataError(f"{source}: lists no photograph; run the stage `photos`")
    try:
        tasks = _tasks(photos, settings.shards)
        journal = ResumeLog(records, folder, settings=settings, scale=scale, code=code)
        journal.keep_only(tasks)
        done = {task.name: found for task in tasks if (found := journal.find(task))}
        if done:
            before = sum(len(each.lines) for each in done.values())
            log.info("%d of %d photographs are as an earlier run left them", before, len(photos))
        _prepare(folder, {name for each in done.values() for name in each.files})
        _run(tasks, done, settings=settings, scale=scale, folder=folder, journal=journal)
        results = [done[task.name] for task in tasks]
        lines = sorted((line for each in results for line in each.lines), key=lambda it: it.photo)
        rows = [row for each in results for row in each.rows]
        if rows:
            write_index(rows, folder / "train")
        write_report(lines, folder, metrics)
    except OSError as error:
        where = error.filename or folder
        raise DataError(f"{where}: cannot be written ({error.strerror or error})") from None
    finally:
        shutil.rmtree(folder / SCRATCH, ignore_errors=True)
    check_rows(lines, folder, settings)
    used = sum(not line.skipped for line in lines)
    log.info("%d photographs, %d patches to train on", used, len(rows))
