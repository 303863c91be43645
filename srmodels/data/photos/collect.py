"""Brings the source photographs into DATA/photos: their table, and the bundled ones themselves."""

import hashlib
import logging
import shutil
from collections.abc import Iterator
from pathlib import Path

from srmodels.atomic import write_table
from srmodels.data.datasets.bundled import Bundled, copy_bundled, read_choice
from srmodels.data.datasets.catalog import resolve_folders
from srmodels.data.photos.scan import REASON, ScanResult, excluded, find_photos
from srmodels.data.photos.settings import PhotosSettings
from srmodels.data.photos.table import Photo, write_photos
from srmodels.data.split import SPLITS
from srmodels.errors import DataError

__all__ = ["collect"]

log = logging.getLogger(__name__)

_OTHERS, _GROUPS = "others.csv", "groups.csv"


def _bundled(choice: list[Bundled], target: Path) -> Iterator[Photo]:
    for row, path in copy_bundled(choice, target):
        content = path.read_bytes()
        sha256 = hashlib.sha256(content).hexdigest()
        yield Photo(row.photo, row.split, path.name, len(content), sha256)


def _of_folders(
    settings: PhotosSettings, target: Path, *, data: Path, scale: int, memory: Path | None
) -> ScanResult:
    if (data / settings.photos).resolve().is_relative_to(target.resolve()):
        raise DataError(
            f"data.photos: {data / settings.photos} is where this stage writes; move it away"
        )
    sources = resolve_folders(
        settings.photos, data=data, scale=scale, official_lr=settings.official_lr
    )
    found = find_photos(sources, settings, scale=scale, memory=memory)
    if not found.photos:
        folders = ", ".join(str(source.folder) for source in sources)
        first = "".join(f": {name} {reason}" for name, reason in sorted(found.others)[:1])
        what = f"{len(found.others)} other files{first}" if found.others else "nothing"
        raise DataError(f"data.photos: {folders} holds no photograph (found {what})")
    return found


def _write(found: ScanResult, target: Path) -> None:
    write_photos(found.photos, target)
    write_table(target / _OTHERS, ["file", "reason"], sorted(found.others))
    write_table(
        target / _GROUPS,
        ["group", "photo", "like", "distance", "correlation"],
        [
            (number, member.photo, member.like, member.distance, f"{member.correlation:.3f}")
            for number, group in enumerate(found.groups, 1)
            for member in group
        ],
    )


def _report(found: ScanResult, target: Path) -> None:
    counts = ", ".join(f"{sum(p.split == s for p in found.photos)} for {s}" for s in SPLITS)
    log.info("%d photographs: %s", len(found.photos), counts)
    if found.groups:
        members = sum(len(group) for group in found.groups)
        where = target / _GROUPS
        log.info(
            "%d groups of near duplicates (%d files), see %s", len(found.groups), members, where
        )
    if found.unseen:
        log.warning("%d photographs cannot be decoded, so are like no other", found.unseen)
    if found.others:
        log.warning("%d files left out, see %s", len(found.others), target / _OTHERS)


def collect(
    settings: PhotosSettings, *, preset: str, data: Path, scale: int, memory: Path | None = None
) -> list[Photo]:
    """Writes DATA/photos: the table, the bundled photographs, the lists of groups and of others.

    Folders of which nothing is kept for testing are joined by the bundled test photographs.

    Args:
        settings: What to collect.
        preset: Whose table DATA/auto/PRESET.csv says what `auto` means.
        data: The project's folder of data; a relative `photos` counts from here.
        scale: HR over LR, for the official LR.
        memory: Where thumbnails are kept from run to run; the result is the same without.

    Raises:
        DataError: There is nothing to collect, or the folder cannot be written.
    """
    target = data / "photos"
    choice: list[Bundled] = []
    try:
        if settings.photos == "auto":
            choice = read_choice(data / "auto" / f"{preset}.csv")
            out = excluded([row.photo for row in choice], settings.leave_out)
            choice = [row for row in choice if row.photo not in out]
            found = ScanResult([], [(name, REASON) for name in sorted(out)], [], 0)
        else:
            found = _of_folders(settings, target, data=data, scale=scale, memory=memory)
            if not settings.test and all(photo.split != "test" for photo in found.photos):
                choice = read_choice(data / "auto" / "quickstart.csv")
                choice = [row for row in choice if row.split == "test"]
        shutil.rmtree(target, ignore_errors=True)
        target.mkdir(parents=True, exist_ok=True)
        found.photos.extend(_bundled(choice, target))  # chosen by hand: no two are alike
        found.photos.sort(key=lambda photo: photo.photo)
        _write(found, target)
    except OSError as error:
        raise DataError(
            f"{error.filename or target}: {error.strerror}; free it and repeat"
        ) from None
    _report(found, target)
    return found.photos
