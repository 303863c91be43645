"""A folder out of an archive: whole or not at all, and nothing outside of its place."""

import gzip
import json
import logging
import os
import shutil
import stat
import tarfile
import zipfile
import zlib
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial
from pathlib import Path, PurePosixPath, PureWindowsPath
from typing import IO

from tqdm import tqdm

from srmodels.cache import check_disk_space
from srmodels.errors import DataError

__all__ = ["Limits", "is_unpacked", "unpack"]

log = logging.getLogger(__name__)

_MARKER = ".unpacked.json"  # hidden, so that it is not listed among the photographs
_DAMAGE = (
    *(zipfile.BadZipFile, tarfile.TarError, gzip.BadGzipFile, zlib.error, EOFError),
    NotImplementedError,  # a way of compressing that zipfile does not know
)


@dataclass(frozen=True, kw_only=True)
class Limits:
    """What an archive may unpack to; photographs hardly shrink, so more is a bomb.

    Attributes:
        ratio: Times the archive's own size.
        bytes: In all.
        files: In all.
    """

    ratio: float = 20.0
    bytes: int = 200 * 10**9
    files: int = 100_000


@dataclass(frozen=True, slots=True)
class _Member:
    """An entry of an archive; `plain` is false for links, devices and encrypted files."""

    name: str
    size: int
    plain: bool
    content: Callable[[], IO[bytes]]


def is_unpacked(target: Path, archive: Path, *, sha256: str) -> bool:
    """Whether a folder is what `unpack` made, still whole, of this very archive.

    The archive may have been deleted since. If it is there, its size and time of change must be
    as they were; it is not read.

    Args:
        target: The folder.
        archive: The archive.
        sha256: What its digest must be; '': any.
    """
    try:
        made = json.loads((target / _MARKER).read_text(encoding="utf-8"))
    except (FileNotFoundError, NotADirectoryError, ValueError):
        return False
    if sha256 and made["sha256"] != sha256:
        return False
    if archive.exists() and made["archive"] != _stamp(archive):
        return False
    same: bool = made["content"] == _content(target)
    return same


def unpack(
    archive: Path, inner: str, target: Path, *, sha256: str, limits: Limits | None = None
) -> None:
    """Unpacks what lies below one folder of an archive, in place of what was there.

    Args:
        archive: A .zip, .tar, .tar.gz or .tgz.
        inner: The folder inside it, with forward slashes; '': all of it.
        target: Where to; it appears under this name when it is complete.
        sha256: The archive's digest, to know later what the folder was made of.
        limits: What it may unpack to; None: the defaults.

    Raises:
        DataError: The archive is damaged, holds no such folder, or holds something that has no
            business there: a path that leads out, a link, a device, or more than the limits.
    """
    target.parent.mkdir(parents=True, exist_ok=True)
    for left in target.parent.glob(f".{target.name}.*"):  # by a killed process
        shutil.rmtree(left)
    unfinished = target.with_name(f".{target.name}.{os.getpid()}")
    try:
        with _opened(archive) as members:
            chosen = _chosen(archive, members(), inner, limits or Limits())
            check_disk_space(target, sum(member.size for _, member in chosen))
            _write(archive, chosen, unfinished)
    except BaseException as error:
        shutil.rmtree(unfinished, ignore_errors=True)
        if isinstance(error, _DAMAGE):
            raise DataError(f"{archive}: is damaged ({error}); delete it and repeat") from None
        raise
    made = {"sha256": sha256, "archive": _stamp(archive), "content": _content(unfinished)}
    (unfinished / _MARKER).write_text(json.dumps(made) + "\n", encoding="utf-8")
    if target.exists():
        target.rename(target.with_name(f".{target.name}.old"))
    unfinished.rename(target)
    shutil.rmtree(target.with_name(f".{target.name}.old"), ignore_errors=True)


def _stamp(archive: Path) -> list[int]:
    found = archive.stat()
    return [found.st_size, found.st_mtime_ns]


def _content(folder: Path) -> list[int]:
    """How many files and bytes."""
    sizes = [path.stat().st_size for path in folder.rglob("*") if path.is_file()]
    own = folder / _MARKER
    return [len(sizes) - own.exists(), sum(sizes) - (own.stat().st_size if own.exists() else 0)]


@contextmanager
def _opened(archive: Path) -> Iterator[Callable[[], Iterator[_Member]]]:
    if archive.suffix == ".zip":
        with zipfile.ZipFile(archive) as file:
            yield lambda: _zipped(file)
    else:
        with tarfile.open(archive) as tar:
            yield lambda: _tarred(tar)


def _zipped(file: zipfile.ZipFile) -> Iterator[_Member]:
    for info in file.infolist():
        kind = stat.S_IFMT(info.external_attr >> 16)  # 0 where the archive was not made on Unix
        plain = kind in (0, stat.S_IFREG, stat.S_IFDIR) and not info.flag_bits & 1
        if not info.is_dir():
            yield _Member(info.filename, info.file_size, plain, partial(file.open, info))


def _tarred(tar: tarfile.TarFile) -> Iterator[_Member]:
    def opened(info: tarfile.TarInfo) -> IO[bytes]:
        content = tar.extractfile(info)
        assert content is not None, "a plain file has content"
        return content

    for info in tar:
        if not info.isdir():
            yield _Member(info.name, info.size, info.isreg(), partial(opened, info))


def _chosen(
    archive: Path, members: Iterator[_Member], inner: str, limits: Limits
) -> list[tuple[PurePosixPath, _Member]]:
    """The members below a folder with their paths relative to it; stops at the first fault."""
    chosen: list[tuple[PurePosixPath, _Member]] = []
    most, total = min(limits.bytes, int(limits.ratio * archive.stat().st_size)), 0
    for member in members:
        path = PurePosixPath(member.name.replace("\\", "/"))
        if path.is_absolute() or PureWindowsPath(member.name).drive or ".." in path.parts:
            raise _refusal(archive, "a path that leads out of its folder", member.name)
        if not path.is_relative_to(inner):
            continue
        if not member.plain:
            raise _refusal(archive, "a link, a device or an encrypted file", member.name)
        total += member.size
        chosen.append((path.relative_to(inner), member))
        if total > most or len(chosen) > limits.files:
            raise _refusal(archive, f"more than {most} bytes or {limits.files} files", member.name)
    if not chosen:
        raise DataError(
            f"{archive}: holds no files in {inner or 'it'} (found none); mend the definition"
        )
    return chosen


def _refusal(archive: Path, what: str, name: str) -> DataError:
    return DataError(
        f"{archive}: holds {what} (found {name!r}), so nothing of it was unpacked; "
        "an archive of plain photographs is right"
    )


def _write(archive: Path, chosen: list[tuple[PurePosixPath, _Member]], folder: Path) -> None:
    folder.mkdir()
    for relative, member in tqdm(chosen, f"unpacking {archive.name}", unit="file", disable=None):
        path = folder / relative
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
            file = path.open("xb")
        except (FileExistsError, NotADirectoryError):
            raise _refusal(archive, "two files at one place", member.name) from None
        with file, member.content() as content:
            shutil.copyfileobj(content, file)
        if path.stat().st_size != member.size:
            raise _refusal(archive, f"a file that is not of {member.size} bytes", member.name)
