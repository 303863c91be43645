"""What one process does with one task: photographs to a shard, or to a whole picture.

The files are made in a folder of the task's own. The main process moves them to their place, so
neither a killed process nor one that was given up leaves anything there.
"""

import hashlib
import shutil
from pathlib import Path
from uuid import uuid4

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from srmodels.data.patches.cut import cut
from srmodels.data.patches.manifest import ManifestRow, skipped_row, used_row
from srmodels.data.patches.settings import PatchSettings
from srmodels.data.patches.task import ProgressNote, Task, TaskResult
from srmodels.data.photos.table import Photo
from srmodels.data.store.index import Row
from srmodels.data.store.writer import ShardWriter, shard_of
from srmodels.errors import DataError, PhotoError
from srmodels.images.readers.decode import Decoded, read
from srmodels.resize.images import crop_to_multiple

__all__ = ["SCRATCH", "cut_task"]

SCRATCH = ".work"


def _file_name(photo: str) -> str:
    """A whole picture's file, unique: trip/a.heic becomes trip__a.heic.png, bird.png stays."""
    name = photo.replace("/", "__")
    if "__" in photo:
        name = hashlib.sha256(photo.encode("utf-8", "surrogateescape")).hexdigest()[:8] + "-" + name
    return name if name.endswith(".png") else f"{name}.png"


def _write_png(pixels: NDArray[np.uint8], path: Path) -> None:
    Image.fromarray(np.ascontiguousarray(pixels)).save(path, "PNG", compress_level=3)


def _open(photo: Photo, settings: PatchSettings) -> Decoded:
    decoded = read(Path(photo.path), half_size=settings.half_size, max_pixels=settings.max_pixels)
    height, width = decoded.pixels.shape[:2]
    if min(height, width) < settings.min_side:
        raise PhotoError(
            f"is too small (found {width}x{height}; patches.min_side is {settings.min_side})"
        )
    return decoded


def _open_lr(photo: Photo, settings: PatchSettings) -> NDArray[np.uint8] | None:
    path = Path(photo.lr)
    try:
        return read(path, max_pixels=settings.max_pixels).pixels if photo.lr else None
    except PhotoError as error:
        reason = str(error).removeprefix(f"{path.name}: ")
        raise PhotoError(f"has an LR picture that {reason}") from None


def _reduced(pixels: NDArray[np.uint8], share: float, least: int) -> NDArray[np.uint8] | None:
    """The photograph with sides `share` times as long, (H, W, 3); None if one is below `least`."""
    height, width = (round(share * side) for side in pixels.shape[:2])
    if min(height, width) < least:
        return None
    small = Image.fromarray(pixels).resize((width, height), Image.Resampling.LANCZOS)
    return np.array(small)


def _cut_photo(
    photo: Photo, settings: PatchSettings, scale: int, place: Path, writer: ShardWriter | None
) -> tuple[ManifestRow, list[Row]]:
    """Puts one photograph into its shard, or keeps it whole."""
    decoded = _open(photo, settings)
    if writer is None:  # the official LR is for training: scores take LR by the protocol
        whole = crop_to_multiple(decoded.pixels, scale)
        _write_png(whole, place / _file_name(photo.photo))
        return used_row(photo, decoded), []
    cuts = {1.0: cut(decoded.pixels, settings, scale, lr=_open_lr(photo, settings))}
    for share in settings.also_reduced_to:
        reduced = _reduced(decoded.pixels, share, scale * settings.patch_size)
        if reduced is not None:
            cuts[share] = cut(reduced, settings, scale)
    # all of a photograph is in the shard, or nothing
    rows = [row for share, its in cuts.items() for row in writer.add(photo.photo, its, share)]
    flat = sum(its.flat for its in cuts.values())
    return used_row(photo, decoded, len(rows), flat), rows


def _cut_photos(
    task: Task,
    settings: PatchSettings,
    scale: int,
    *,
    diary: ProgressNote,
    place: Path,
    writer: ShardWriter | None,
) -> tuple[list[ManifestRow], list[Row]]:
    lines, rows = list[ManifestRow](), list[Row]()
    for photo in task.photos:
        if reason := task.left_out.get(photo.photo):
            lines.append(skipped_row(photo, reason))
            continue
        diary.begin(task, photo, done=len(lines))
        try:
            line, its = _cut_photo(photo, settings, scale, place, writer)
        except PhotoError as error:
            reason = str(error).removeprefix(f"{Path(photo.path).name}: ")
            line, its = skipped_row(photo, reason), []
        except MemoryError:
            line, its = skipped_row(photo, "does not fit into memory"), []
        lines.append(line)
        rows.extend(its)
    return lines, rows


def cut_task(
    task: Task, settings: PatchSettings, scale: int, folder: Path
) -> tuple[Path, TaskResult]:
    """Works through a task; holds one photograph at a time.

    Args:
        task: Photographs of one shard, or one photograph to keep whole.
        settings: How to cut.
        scale: HR over LR.
        folder: Of the patches; the diary and the task's own folder lie in its folder `.work`.

    Returns:
        The task's own folder, and what is in it, under the names it is to get in `folder`.

    Raises:
        DataError: The folder cannot be written.
    """
    split = task.photos[0].split
    try:
        for old in (folder / SCRATCH).glob(f"{task.name}-*"):  # of a process that died
            shutil.rmtree(old, ignore_errors=True)
        own = folder / SCRATCH / f"{task.name}-{uuid4().hex}"
        place = own / split
        place.mkdir(parents=True)
        diary = ProgressNote(folder / SCRATCH)
        if split != "train":
            found = _cut_photos(task, settings, scale, diary=diary, place=place, writer=None)
        else:
            shard, size = shard_of(task.photos[0].photo, settings.shards), settings.patch_size
            with ShardWriter(
                place, shard, patch_size=size, scale=scale, store=settings.store
            ) as writer:
                found = _cut_photos(task, settings, scale, diary=diary, place=place, writer=writer)
        files = sorted(f"{split}/{path.name}" for path in place.iterdir())
    except OSError as error:  # decoding raises PhotoError, so this is about writing
        raise DataError(f"{folder}: cannot be written ({error.strerror or error})") from None
    lines, rows = found
    return own, TaskResult(tuple(lines), tuple(rows), tuple(files))
