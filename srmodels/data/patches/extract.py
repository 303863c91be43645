"""All photographs to shards and whole pictures, in parallel; broken ones are skipped and listed.

A task is one shard or one whole picture, so pixels never travel between processes. A killed run
loses the tasks under way; the next run does only those. A changed photograph costs its shard.

A process holds one photograph at a time. Its peak in bytes per pixel of the largest photograph is,
for patches of side p every s LR pixels, max(D, 4 + 3 F + 3 (1 + F) (p / s)^2 (1 + 1 / scale^2)): F
is the sum of the squares of `also_reduced_to`, D is decoding: 4 for JPEG, 6 for PNG, 18 for HEIF,
25 for camera RAW.
"""

import hashlib
import logging
import shutil
from collections.abc import Sequence
from contextlib import ExitStack
from dataclasses import replace
from functools import partial
from pathlib import Path

from srmodels.data.executor.cluster import DaskExecutor
from srmodels.data.executor.processes import ProcessExecutor
from srmodels.data.executor.run import run
from srmodels.data.executor.task import Task
from srmodels.data.patches.given_lr import lr_folder
from srmodels.data.patches.manifest import MANIFEST, check_rows, write_report
from srmodels.data.patches.resume import ResumeLog
from srmodels.data.patches.settings import PatchSettings
from srmodels.data.patches.worker import SCRATCH, TaskResult, cut_task
from srmodels.data.photos.table import Photo, read_photos
from srmodels.data.split import SPLITS
from srmodels.data.store.index import INDEX
from srmodels.data.store.writer import shard_of, write_index
from srmodels.errors import DataError, disk_errors
from srmodels.machine import cores

log = logging.getLogger(__name__)


def _tasks(photos: Sequence[Photo], shards: int) -> list[Task]:
    by_shard: dict[int, list[Photo]] = {}
    image_tasks: list[Task] = []
    for photo in sorted(photos, key=lambda photo: photo.photo):
        # absolute, since a worker may run elsewhere
        absolute = replace(photo, path=str(Path(photo.path).absolute()))
        if photo.split == "train":
            by_shard.setdefault(shard_of(photo.photo, shards), []).append(absolute)
        else:
            digest = hashlib.sha256(photo.photo.encode("utf-8", "surrogateescape")).hexdigest()
            image_tasks.append(Task(f"whole-{digest[:32]}", (absolute,)))
    shard_tasks = [
        Task(f"shard-{shard:03d}", tuple(group)) for shard, group in sorted(by_shard.items())
    ]
    return shard_tasks + image_tasks


def _remove_outdated(folder: Path, current: set[str]) -> None:
    (folder / "train" / INDEX).unlink(missing_ok=True)  # first: without it no store is complete
    (folder / MANIFEST).unlink(missing_ok=True)
    shutil.rmtree(folder / SCRATCH, ignore_errors=True)
    for name in (*SPLITS, SCRATCH):
        (folder / name).mkdir(parents=True, exist_ok=True)
    for place in (*(folder / split for split in SPLITS), *(lr_folder(folder / s) for s in SPLITS)):
        for path in place.iterdir() if place.is_dir() else ():
            if path.is_dir() and not path.is_symlink():
                shutil.rmtree(path)
            elif f"{place.name}/{path.name}" not in current:
                path.unlink()


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
    """Makes the patch store of the photographs in `source`/photos.csv.

    `folder` gets train/ (shards and index), validation/ and test/ (whole pictures, PNG),
    validation_lr/ and test_lr/ if the user's own LR belongs to them, and manifest.csv: the same
    bytes for any number of processes and after any earlier run. `metrics` is the JSON file for
    counts. Finished tasks are recorded in the folder `records`, with `code`, a digest of the code
    that decides pixels: if it changes, every task runs, as with None.

    Raises:
        DataError: Too many photographs are broken, none is left to train on, or the folder cannot
            be written. Finished files stay.
    """
    photos = read_photos(source)
    if not photos:
        raise DataError(f"{source}: lists no photograph (got an empty table). Run `photos` again.")
    with disk_errors(folder), ExitStack() as cleanup:
        cleanup.callback(shutil.rmtree, folder / SCRATCH, ignore_errors=True)
        tasks = _tasks(photos, settings.shards)
        resume_log = ResumeLog(records, folder, settings=settings, scale=scale, code=code)
        resume_log.keep_only(tasks)
        results = {task.name: result for task in tasks if (result := resume_log.find(task))}
        done = sum(len(result.manifest) for result in results.values())
        if done:
            log.info("%d of %d photographs are up to date", done, len(photos))
        _remove_outdated(folder, {name for result in results.values() for name in result.files})

        def keep(task: Task, output: tuple[Path, TaskResult]) -> None:
            task_folder, result = output
            for name in result.files:
                (folder / name).parent.mkdir(exist_ok=True)
                (task_folder / name).replace(folder / name)
            shutil.rmtree(task_folder, ignore_errors=True)
            resume_log.add(task, result)
            results[task.name] = result

        if missing := [task for task in tasks if task.name not in results]:
            workers = min(settings.workers or cores(), len(missing))
            with (
                DaskExecutor(settings.scheduler)
                if settings.executor == "dask"
                else ProcessExecutor(workers, preload=["srmodels.data.patches.preload"])
            ) as executor:
                run(
                    partial(cut_task, settings=settings, scale=scale, folder=folder.absolute()),
                    missing,
                    executor,
                    notes=folder / SCRATCH,
                    seconds=settings.seconds_per_photo,
                    keep=keep,
                    done=done,
                )
        in_order = [results[task.name] for task in tasks]
        manifest = [row for result in in_order for row in result.manifest]
        manifest.sort(key=lambda row: row.photo)
        rows = [row for result in in_order for row in result.rows]
        if rows:
            write_index(rows, folder / "train")
        write_report(manifest, folder, metrics)
    check_rows(manifest, folder, settings)
    used = sum(not row.skipped for row in manifest)
    log.info("%d photographs, %d patches to train on", used, len(rows))
