"""The photographs of folders: listed, without copies, grouped by near duplicates and split."""

import hashlib
import os
from collections.abc import Iterable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from difflib import get_close_matches
from fnmatch import fnmatchcase
from pathlib import Path

from tqdm.contrib.concurrent import thread_map

from srmodels.data.datasets.catalog import ImageFolder, official_lr_of
from srmodels.data.datasets.pairs import pair_by_name
from srmodels.data.photos.duplicates import Member, find_duplicates
from srmodels.data.photos.settings import OFFICIAL, PhotosSettings
from srmodels.data.photos.table import OWN, Photo
from srmodels.data.photos.thumbnails import thumbnails
from srmodels.data.split import assign_splits, cross_split_duplicates, split_from_folder
from srmodels.errors import DataError, listed
from srmodels.images.readers.folder import list_files
from srmodels.machine import cores

REASON = "is left out by data.leave_out"

Reasons = list[tuple[str, str]]


@dataclass(frozen=True, slots=True)
class ScanResult:
    """What folders hold."""

    photos: list[Photo]  # the photographs, each in its split
    others: Reasons  # files that are left out, each with the reason
    groups: list[list[Member]]  # near duplicates, also those that are left out
    undecodable: int  # how many photographs could not be compared


def _list(source: ImageFolder, scale: int) -> tuple[list[Photo], list[tuple[str, ...]], Reasons]:
    """Photographs without split and digest, the splits that each may have, and other files."""
    try:
        paths, others = list_files(source.folder)
    except OSError as error:
        raise DataError(
            f"data.photos: cannot list a folder (got {source.folder}: {error.strerror}). Permit it."
        ) from None
    prefix = f"{source.name}/" if source.name else ""
    photos, allowed = list[Photo](), list[tuple[str, ...]]()
    for path in paths:
        name, lr = path.relative_to(source.folder).as_posix(), official_lr_of(source, path, scale)
        split = split_from_folder(name)
        lr_from = OFFICIAL if lr else ""
        photos.append(Photo(prefix + name, "", str(path), 0, "", str(lr or ""), lr_from=lr_from))
        allowed.append((split,) if split in source.splits else source.splits)
    return (
        photos,
        allowed,
        [(prefix + path.relative_to(source.folder).as_posix(), why) for path, why in others],
    )


def _with_own_lr(
    photos: list[Photo], sources: Iterable[ImageFolder], folder: Path, scale: int
) -> tuple[list[Photo], Reasons]:
    """The photographs, each with its LR picture in `folder` or '', and the other files there."""
    for source in sources:
        if folder.is_relative_to(source.folder) or source.folder.is_relative_to(folder):
            raise DataError(
                f"data.lr: one folder lies in the other (got HR in {source.folder}, LR in "
                f"{folder}). Put them side by side."
            )
    try:
        paths, others = list_files(folder)
    except OSError as error:
        raise DataError(
            f"data.lr: cannot list a folder (got {folder}: {error.strerror}). Correct it."
        ) from None
    # those that are no pictures, too, so that the pair's line says so
    names = [
        path.relative_to(folder).as_posix() for path in (*paths, *(path for path, _ in others))
    ]
    pairs = pair_by_name([photo.photo for photo in photos], names, scale=scale)
    if photos and not pairs:
        raise DataError(
            f"data.lr: no file has the name of a photograph (got {listed(names) or 'nothing'} in "
            f"{folder}; the first photograph is {photos[0].photo}). Use HR's names."
        )
    lr = {photo: str(folder / name) for photo, name in pairs.items()}
    photos = [replace(photo, lr=lr.get(photo.photo, ""), lr_from=OWN) for photo in photos]
    alone = sorted(set(names) - set(pairs.values()))
    return photos, [(f"{folder / name}", "is an LR picture without HR") for name in alone]


def digest_and_size(path: Path) -> tuple[str, int]:
    """The SHA-256 of a file, and its bytes."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest(), os.fstat(file.fileno()).st_size


def _read(photo: Photo) -> Photo | str:
    """The photograph with size and digests, or the reason why it has none."""
    try:
        sha256, size = digest_and_size(Path(photo.path))
    except OSError as error:
        return f"cannot be opened ({error.strerror})"
    lr_sha256 = ""
    with suppress(OSError):  # the stage `patches` says why
        lr_sha256 = digest_and_size(Path(photo.lr))[0] if photo.lr else ""
    return replace(photo, bytes=size, sha256=sha256, lr_sha256=lr_sha256)


def _read_once(
    photos: list[Photo], allowed: Mapping[str, tuple[str, ...]]
) -> tuple[list[Photo], Reasons]:
    """Reads all files; leaves out those that cannot be read and copies of the same file."""

    def rank(photo: Photo) -> tuple[bool, bool, str]:  # test-only files stay, then validation's
        splits = allowed[photo.photo]
        return splits != ("test",), splits != ("validation",), photo.photo

    results = thread_map(_read, photos, desc="photos", unit="photo", disable=None)
    others = [
        (photo.photo, result)
        for photo, result in zip(photos, results, strict=True)
        if isinstance(result, str)
    ]
    first: dict[str, Photo] = {}
    for photo in sorted((result for result in results if isinstance(result, Photo)), key=rank):
        original = first.setdefault(photo.sha256, photo)
        if original is not photo:  # else one picture could be trained on and tested on
            others.append((photo.photo, f"is the same file as {original.photo}"))
    return list(first.values()), others


def find_photos(
    sources: Sequence[ImageFolder],
    settings: PhotosSettings,
    *,
    scale: int,
    memory: Path | None = None,
    own_lr: Path | None = None,
) -> ScanResult:
    """Lists folders, reads every file once and gives every photograph its split.

    `own_lr` is the folder of the user's own LR pictures, or None.
    """
    photos, allowed, others = list[Photo](), dict[str, tuple[str, ...]](), list[tuple[str, str]]()
    for source in sources:
        listed, splits_of, reasons = _list(source, scale)
        photos += listed
        allowed |= zip((photo.photo for photo in listed), splits_of, strict=True)
        others += reasons
    if own_lr:
        photos, reasons = _with_own_lr(photos, sources, own_lr, scale)
        others += reasons
    names = excluded([photo.photo for photo in photos], settings.leave_out)
    others += [(name, REASON) for name in sorted(names)]
    photos, reasons = _read_once([photo for photo in photos if photo.photo not in names], allowed)
    others += reasons
    groups, undecodable = list[list[Member]](), 0
    if settings.near_duplicates == "group":
        name_of = {photo.sha256: photo.photo for photo in photos}
        paths = {photo.sha256: Path(photo.path) for photo in photos}
        pixels = thumbnails(paths, workers=cores(), memory=memory)
        groups = find_duplicates([name_of[digest] for digest in pixels], [*pixels.values()])
        undecodable = len(photos) - len(pixels)
    group_names = [[member.photo for member in group] for group in groups]
    splits = assign_splits(
        (photo.photo for photo in photos),
        validation=settings.validation,
        test=settings.test,
        allowed=allowed,
        groups=group_names,
    )
    duplicates = cross_split_duplicates(splits, group_names)
    others += [(name, f"is like {other}") for name, other in duplicates.items()]
    photos = [
        replace(photo, split=splits[photo.photo])
        for photo in photos
        if photo.photo not in duplicates
    ]
    return ScanResult(photos, others, groups, undecodable)


def excluded(names: Sequence[str], patterns: Iterable[str]) -> set[str]:
    """The `names` that fit one of a shell's patterns: `*`, `?`, `[...]`; each must fit a name."""
    matches: set[str] = set()
    for pattern in patterns:
        fitting = [name for name in names if fnmatchcase(name, pattern)]
        if not fitting:
            close = get_close_matches(pattern, names, n=1) or names[:1]
            advice = f"Give a name like {close[0]!r}" if close else "Remove it"
            raise DataError(
                f"data.leave_out: no photograph has this name (got {pattern!r}). {advice}."
            )
        matches.update(fitting)
    return matches
