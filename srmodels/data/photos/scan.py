"""The photographs of folders: listed, without copies, grouped by near duplicates and split."""

import hashlib
import os
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from difflib import get_close_matches
from fnmatch import fnmatchcase
from pathlib import Path

from tqdm.contrib.concurrent import thread_map

from srmodels.data.datasets.catalog import ImageFolder, official_lr_of
from srmodels.data.photos.duplicates import Member, find_duplicates
from srmodels.data.photos.settings import PhotosSettings
from srmodels.data.photos.table import Photo
from srmodels.data.photos.thumbnails import thumbnails
from srmodels.data.split import assign_splits, cross_split_duplicates, split_from_folder
from srmodels.errors import DataError
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
        photos.append(Photo(prefix + name, "", str(path), 0, "", str(lr or "")))
        allowed.append((split,) if split in source.splits else source.splits)
    return (
        photos,
        allowed,
        [(prefix + path.relative_to(source.folder).as_posix(), why) for path, why in others],
    )


def digest_and_size(path: Path) -> tuple[str, int]:
    """The SHA-256 of a file, and its bytes."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest(), os.fstat(file.fileno()).st_size


def _read(photo: Photo) -> Photo | str:
    """The photograph with size and digests, or the reason why it has none."""
    try:
        sha256, size = digest_and_size(Path(photo.path))
        lr_sha256 = digest_and_size(Path(photo.lr))[0] if photo.lr else ""
    except OSError as error:
        which = "its LR picture " if error.filename == photo.lr else ""
        return f"{which}cannot be opened ({error.strerror})"
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
    sources: Iterable[ImageFolder],
    settings: PhotosSettings,
    *,
    scale: int,
    memory: Path | None = None,
) -> ScanResult:
    """Lists folders, reads every file once and gives every photograph its split."""
    photos, allowed, others = list[Photo](), dict[str, tuple[str, ...]](), list[tuple[str, str]]()
    for source in sources:
        listed, splits_of, reasons = _list(source, scale)
        photos += listed
        allowed |= zip((photo.photo for photo in listed), splits_of, strict=True)
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
