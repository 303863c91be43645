"""Writes DATA/photos: the table of photographs, and the bundled photographs themselves."""

import logging
import shutil
from pathlib import Path

from srmodels.atomic import write_table
from srmodels.data.datasets.bundled import Bundled, copy_bundled, read_choice
from srmodels.data.datasets.catalog import resolve_folders
from srmodels.data.photos.scan import REASON, ScanResult, digest_and_size, excluded, find_photos
from srmodels.data.photos.settings import OFFICIAL, PhotosSettings
from srmodels.data.photos.table import Photo, write_photos
from srmodels.data.split import SPLITS
from srmodels.errors import DataError, disk_errors

log = logging.getLogger(__name__)

_OTHERS, _GROUPS = "others.csv", "groups.csv"


def _scan(
    settings: PhotosSettings, output: Path, *, data: Path, scale: int, memory: Path | None
) -> ScanResult:
    if (data / settings.photos).resolve().is_relative_to(output.resolve()):
        raise DataError(
            f"data.photos: this is where this stage writes (got {data / settings.photos}). Move "
            "the photographs to another folder."
        )
    sources = resolve_folders(
        settings.photos, data=data, scale=scale, official_lr=settings.lr == OFFICIAL
    )
    own_lr = (data / settings.lr).resolve() if settings.own_lr else None
    scan = find_photos(sources, settings, scale=scale, memory=memory, own_lr=own_lr)
    if not scan.photos:
        folders = ", ".join(str(source.folder) for source in sources)
        first = "".join(f": {name} {reason}" for name, reason in sorted(scan.others)[:1])
        content = f"{len(scan.others)} other files{first}" if scan.others else "nothing"
        raise DataError(
            f"data.photos: {folders} holds no photograph (got {content}). Name another folder."
        )
    return scan


def _write(scan: ScanResult, folder: Path) -> None:
    write_photos(scan.photos, folder)
    write_table(folder / _OTHERS, ["file", "reason"], sorted(scan.others))
    groups = [
        (number, member.photo, member.like, member.distance, f"{member.correlation:.3f}")
        for number, group in enumerate(scan.groups, 1)
        for member in group
    ]
    write_table(folder / _GROUPS, ["group", "photo", "like", "distance", "correlation"], groups)


def _log(scan: ScanResult, folder: Path) -> None:
    counts = (
        f"{sum(photo.split == split for photo in scan.photos)} for {split}" for split in SPLITS
    )
    log.info("%d photographs: %s", len(scan.photos), ", ".join(counts))
    if groups := scan.groups:
        files = sum(map(len, groups))
        path = folder / _GROUPS
        log.info("%d groups of near duplicates (%d files), see %s", len(groups), files, path)
    if scan.undecodable:
        log.warning("%d photographs cannot be decoded or compared", scan.undecodable)
    if scan.others:
        log.warning("%d files left out, see %s", len(scan.others), folder / _OTHERS)


def collect(
    settings: PhotosSettings, *, preset: str, data: Path, scale: int, memory: Path | None = None
) -> list[Photo]:
    """Writes DATA/photos: photos.csv, groups.csv, others.csv and the bundled photographs.

    `auto` means the table DATA/auto/PRESET.csv. If `settings.test` is 0 and no photograph is in
    test/, the bundled test photographs are added. `memory` is the file of thumbnails of earlier
    runs; the result is the same without.
    """
    output = data / "photos"
    choice: list[Bundled] = []
    with disk_errors(output):
        if settings.photos == "auto":
            choice = read_choice(data / "auto" / f"{preset}.csv")
            names = excluded([row.photo for row in choice], settings.leave_out)
            choice = [row for row in choice if row.photo not in names]
            scan = ScanResult([], [(name, REASON) for name in sorted(names)], [], 0)
        else:
            scan = _scan(settings, output, data=data, scale=scale, memory=memory)
            if not settings.test and all(photo.split != "test" for photo in scan.photos):
                choice = read_choice(data / "auto" / "quickstart.csv")
                choice = [row for row in choice if row.split == "test"]
        shutil.rmtree(output, ignore_errors=True)
        output.mkdir(parents=True, exist_ok=True)
        for row, path in copy_bundled(choice, output):  # chosen by hand: no near duplicates
            sha256, size = digest_and_size(path)
            scan.photos.append(Photo(row.photo, row.split, path.name, size, sha256))
        scan.photos.sort(key=lambda photo: photo.photo)
        _write(scan, output)
    _log(scan, output)
    return scan.photos
