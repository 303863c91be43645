"""The photographs of folders: listed, told apart by content, grouped by likeness and split.

Photographs that the user has taken out by name.
"""

import hashlib
import os
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from difflib import get_close_matches
from fnmatch import fnmatchcase
from pathlib import Path

from srmodels.data.datasets.catalog import ImageFolder, official_lr_of
from srmodels.data.photos.duplicates import Member, find_duplicates
from srmodels.data.photos.settings import PhotosSettings
from srmodels.data.photos.table import Photo
from srmodels.data.photos.thumbnails import in_threads, thumbnails
from srmodels.data.split import assign_splits, cross_split_duplicates, split_from_folder
from srmodels.errors import DataError
from srmodels.images.readers.folder import list_files
from srmodels.machine import cores

__all__ = ["REASON", "ScanResult", "excluded", "find_photos"]

Reasons = list[tuple[str, str]]


@dataclass(frozen=True, slots=True)
class ScanResult:
    """What folders hold.

    Attributes:
        photos: The photographs, each in its split.
        others: Files that are left out, each with the reason.
        groups: Photographs that show the same picture, also those left out for it.
        unseen: How many could not be compared, since they cannot be decoded.
    """

    photos: list[Photo]
    others: Reasons
    groups: list[list[Member]]
    unseen: int


@dataclass(frozen=True, slots=True)
class _File:
    """A photograph whose split is open, and the splits that it may go to."""

    photo: Photo
    splits: tuple[str, ...]


def _list(source: ImageFolder, scale: int) -> tuple[list[_File], Reasons]:
    try:
        paths, others = list_files(source.folder)
    except OSError as error:
        raise DataError(
            f"data.photos: {source.folder} cannot be listed ({error.strerror}); permit it"
        ) from None
    before = f"{source.name}/" if source.name else ""
    files = []
    for path in paths:
        name = path.relative_to(source.folder).as_posix()
        split = split_from_folder(name)
        splits = (split,) if split in source.splits else source.splits
        lr = official_lr_of(source, path, scale)
        files.append(_File(Photo(before + name, "", str(path), 0, "", str(lr or "")), splits))
    names = [before + path.relative_to(source.folder).as_posix() for path, _ in others]
    return files, list(zip(names, [reason for _, reason in others], strict=True))


def _without(files: list[_File], patterns: Iterable[str]) -> tuple[list[_File], Reasons]:
    out = excluded([file.photo.photo for file in files], patterns)
    kept = [file for file in files if file.photo.photo not in out]
    return kept, [(name, REASON) for name in sorted(out)]


def _digest(path: str) -> tuple[str, int]:
    with Path(path).open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest(), os.fstat(file.fileno()).st_size


def _read(file: _File) -> _File | str:
    """The same with size and digests, or the reason why it has none."""
    photo = file.photo
    try:
        sha256, size = _digest(photo.path)
        lr_sha256 = _digest(photo.lr)[0] if photo.lr else ""
    except OSError as error:
        which = "its LR picture " if error.filename == photo.lr else ""
        return f"{which}cannot be opened ({error.strerror})"
    return replace(file, photo=replace(photo, bytes=size, sha256=sha256, lr_sha256=lr_sha256))


def _rank(file: _File) -> tuple[bool, bool, str]:
    # of two copies the one that only testing may have is kept, then validation's
    return file.splits != ("test",), file.splits != ("validation",), file.photo.photo


def _different(files: list[_File]) -> tuple[list[_File], Reasons]:
    """Reads all files; without those that cannot be read or are there already."""
    others, read = [], []
    results = in_threads(_read, files, workers=None, label="photos")
    for file, result in zip(files, results, strict=True):
        if isinstance(result, str):
            others.append((file.photo.photo, result))
        else:
            read.append(result)
    first: dict[str, _File] = {}
    for file in sorted(read, key=_rank):
        kept = first.setdefault(file.photo.sha256, file)
        if kept is not file:  # else one picture could be trained and tested on
            others.append((file.photo.photo, f"is the same file as {kept.photo.photo}"))
    return list(first.values()), others


def _group(photos: list[Photo], memory: Path | None) -> tuple[list[list[Member]], int]:
    """Groups of photographs that are alike, and how many could not be compared."""
    names = {photo.sha256: photo.photo for photo in photos}
    paths = {photo.sha256: Path(photo.path) for photo in photos}
    seen = thumbnails(paths, workers=cores(), memory=memory)
    groups = find_duplicates([names[digest] for digest in seen], list(seen.values()))
    return groups, len(photos) - len(seen)


def find_photos(
    sources: Iterable[ImageFolder],
    settings: PhotosSettings,
    *,
    scale: int,
    memory: Path | None = None,
) -> ScanResult:
    """Lists folders, reads every file once and gives every photograph its split.

    Args:
        sources: The folders.
        settings: Shares of the splits, and whether to look for near duplicates.
        scale: HR over LR, for the official LR.
        memory: Where thumbnails are kept from run to run; see `glance.thumbnails`.

    Raises:
        DataError: A folder cannot be listed, or a photograph to be left out is not there.
    """
    files, others = [], []
    for source in sources:
        more, reasons = _list(source, scale)
        files += more
        others += reasons
    files, reasons = _without(files, settings.leave_out)
    others += reasons
    files, reasons = _different(files)
    others += reasons
    groups: list[list[Member]] = []
    unseen = 0
    if settings.near_duplicates == "group":
        groups, unseen = _group([file.photo for file in files], memory)
    alike = [[member.photo for member in group] for group in groups]
    splits = assign_splits(
        (file.photo.photo for file in files),
        validation=settings.validation,
        test=settings.test,
        allowed={file.photo.photo: file.splits for file in files},
        groups=alike,
    )
    left_out = cross_split_duplicates(splits, alike)
    others += [(name, f"is like {kept}") for name, kept in left_out.items()]
    photos = [
        replace(file.photo, split=splits[file.photo.photo])
        for file in files
        if file.photo.photo not in left_out
    ]
    return ScanResult(photos, others, groups, unseen)


REASON = "is left out by data.leave_out"


def excluded(names: Sequence[str], patterns: Iterable[str]) -> set[str]:
    """Which of `names` fit one of `patterns`, in which `*`, `?` and `[...]` are a shell's.

    Raises:
        DataError: A pattern fits no name: a slip of the pen would train on what it should not.
    """
    out: set[str] = set()
    for pattern in patterns:
        fitting = [name for name in names if fnmatchcase(name, pattern)]
        if not fitting:
            like = get_close_matches(pattern, names, n=1) or names[:1]
            right = f"a name like {like[0]!r} is right" if like else "there is none at all"
            raise DataError(f"data.leave_out: no photograph is named {pattern!r}; {right}")
        out.update(fitting)
    return out
