"""What one process does with one task: photographs to a shard, or to one whole PNG picture.

A task writes into a folder of its own. The main process moves the files to their place, so a
killed process leaves nothing there.
"""

import hashlib
import shutil
from contextlib import nullcontext
from dataclasses import dataclass, replace
from pathlib import Path
from uuid import uuid4

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from srmodels.data.executor.task import Task
from srmodels.data.executor.time_limit import ProgressNote
from srmodels.data.patches.cut import cut
from srmodels.data.patches.given_lr import check_official, check_own, lr_folder
from srmodels.data.patches.manifest import ManifestRow
from srmodels.data.patches.settings import PatchSettings
from srmodels.data.photos.settings import OFFICIAL
from srmodels.data.photos.table import OWN, Photo
from srmodels.data.store.index import Row
from srmodels.data.store.writer import ShardWriter, shard_of
from srmodels.errors import PhotoError, disk_errors
from srmodels.images.readers.decode import read
from srmodels.resize.images import crop_to_multiple, downscale

SCRATCH = ".work"


@dataclass(frozen=True, slots=True)
class TaskResult:
    """What a task made: rows of the manifest and of the index, and the names of its files."""

    manifest: tuple[ManifestRow, ...]
    rows: tuple[Row, ...]
    files: tuple[str, ...]


def _png_name(photo: str) -> str:
    """A unique file name: trip/a.heic becomes trip__a.heic.png, bird.png stays."""
    name = photo.replace("/", "__")
    if "__" in photo:
        name = hashlib.sha256(photo.encode("utf-8", "surrogateescape")).hexdigest()[:8] + "-" + name
    return name if name.endswith(".png") else f"{name}.png"


def _read_lr(
    photo: Photo, hr: NDArray[np.uint8], settings: PatchSettings, scale: int
) -> tuple[NDArray[np.uint8] | None, list[str]]:
    """The given LR picture, if there is one, and notes; a PhotoError if it does not fit HR."""
    if not photo.lr_from:
        return None, []
    if not photo.lr:
        raise PhotoError("has no LR picture in data.lr. Add one of the same name")
    path = Path(photo.lr)
    try:
        lr = read(path, max_pixels=settings.max_pixels, hdr=settings.hdr).pixels
    except PhotoError as error:
        reason = str(error).removeprefix(f"{path.name}: ")
        raise PhotoError(f"has an LR picture that {reason}") from None
    reduced = downscale(crop_to_multiple(hr, scale), scale)
    if photo.lr_from == OFFICIAL:
        check_official(lr, reduced)
        return lr, []
    return lr, [check_own(lr, reduced)]


def _write_png(path: Path, pixels: NDArray[np.uint8]) -> None:
    path.parent.mkdir(exist_ok=True)
    picture = Image.fromarray(np.ascontiguousarray(pixels))
    picture.save(path, "PNG", compress_level=3)


def _reduce(pixels: NDArray[np.uint8], share: float, min_side: int) -> NDArray[np.uint8] | None:
    """The picture with sides `share` times as long, (H, W, 3); None if it gets too small."""
    height, width = (round(share * side) for side in pixels.shape[:2])
    if min(height, width) < min_side:
        return None
    return np.array(Image.fromarray(pixels).resize((width, height), Image.Resampling.LANCZOS))


def _cut_photo(
    photo: Photo, settings: PatchSettings, scale: int, folder: Path, writer: ShardWriter | None
) -> tuple[ManifestRow, list[Row]]:
    decoded = read(
        Path(photo.path),
        half_size=settings.half_size,
        max_pixels=settings.max_pixels,
        hdr=settings.hdr,
    )
    height, width = decoded.pixels.shape[:2]
    if min(height, width) < settings.min_side:
        raise PhotoError(
            f"is too small (got {width}x{height}; patches.min_side is {settings.min_side})"
        )
    rows, flat, notes, own = list[Row](), 0, list(decoded.notes), photo.lr_from == OWN
    lr = None
    if writer is not None or own:  # official LR is bicubic, which the protocol makes of HR itself
        lr, lr_notes = _read_lr(photo, decoded.pixels, settings, scale)
        notes += lr_notes
    if writer is None:
        name = _png_name(photo.photo)
        _write_png(folder / name, crop_to_multiple(decoded.pixels, scale))
        if lr is not None:
            _write_png(lr_folder(folder) / name, lr)
    else:
        cuts = {1.0: cut(decoded.pixels, settings, scale, lr=lr)}
        # a reduction would take noise and blur out of one's own LR
        for share in () if own else settings.also_reduced_to:
            reduced = _reduce(decoded.pixels, share, scale * settings.patch_size)
            if reduced is not None:
                cuts[share] = cut(reduced, settings, scale)
        for share, patches in cuts.items():  # after all cuts, which can refuse the photograph
            rows += writer.add(photo.photo, patches, share)
            flat += patches.flat
    row = ManifestRow(photo.photo, photo.split, decoded.kind, width, height, len(rows), flat)
    return replace(row, notes="; ".join(notes), sha256=photo.sha256), rows


def _cut_photos(
    task: Task, settings: PatchSettings, scale: int, *, root: Path, folder: Path
) -> TaskResult:
    manifest, rows, split = list[ManifestRow](), list[Row](), task.photos[0].split
    note = ProgressNote(root / SCRATCH, task, settings.seconds_per_photo)
    excluded = task.excluded | note.read()[1]  # dask itself repeats the task of a dead worker
    shard, size = shard_of(task.photos[0].photo, settings.shards), settings.patch_size
    with (
        ShardWriter(folder, shard, patch_size=size, scale=scale, store=settings.store)
        if split == "train"
        else nullcontext()
    ) as writer:
        for photo in task.photos:
            reason = excluded.get(photo.photo)
            try:
                if reason is None:
                    with note.begin(photo.photo):
                        row, patch_rows = _cut_photo(photo, settings, scale, folder, writer)
                    rows += patch_rows
            except PhotoError as error:
                reason = str(error).removeprefix(f"{Path(photo.path).name}: ")
            except MemoryError:
                reason = "does not fit into memory"
            if reason is not None:
                row = ManifestRow(photo.photo, photo.split, skipped=reason, sha256=photo.sha256)
            manifest.append(row)
    files = sorted(
        path.relative_to(folder.parent).as_posix()
        for path in folder.parent.rglob("*")
        if path.is_file()
    )
    return TaskResult(tuple(manifest), tuple(rows), tuple(files))


def cut_task(
    task: Task, settings: PatchSettings, scale: int, folder: Path
) -> tuple[Path, TaskResult]:
    """Works through a task; returns its own folder below `folder`/.work, and what is in it."""
    with disk_errors(folder):  # decoding raises PhotoError
        for old in (folder / SCRATCH).glob(f"{task.name}-*"):  # of a process that died
            shutil.rmtree(old, ignore_errors=True)
        own = folder / SCRATCH / f"{task.name}-{uuid4().hex}"
        target = own / task.photos[0].split
        target.mkdir(parents=True)
        return own, _cut_photos(task, settings, scale, root=folder, folder=target)
