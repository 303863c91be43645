"""Unpacks a folder of an archive: completely or not at all, and only below its target."""

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
from pathlib import Path, PurePosixPath, PureWindowsPath

from tqdm import tqdm

from srmodels.cache import check_disk_space
from srmodels.errors import DataError

log = logging.getLogger(__name__)

_MARKER = ".unpacked.json"  # hidden from the listing of photographs
_DAMAGE = (
    *(zipfile.BadZipFile, tarfile.TarError, gzip.BadGzipFile, zlib.error, EOFError),
    NotImplementedError,  # a compression method that zipfile does not have
)


@dataclass(frozen=True, kw_only=True)
class Limits:
    """Limits of the unpacked size; photographs hardly compress, so more is an attack."""

    ratio: float = 20.0  # unpacked size over the size of the archive
    bytes: int = 200 * 10**9
    files: int = 100_000


@dataclass(frozen=True, slots=True)
class _Member:
    """Anything in an archive that is no folder; `size` in bytes."""

    name: str
    size: int
    regular: bool  # a file, not encrypted
    extract: Callable[[str, Path], None]  # to a relative path below a folder


def is_unpacked(target: Path, archive: Path, *, sha256: str) -> bool:
    """Whether a folder is complete and from the archive of this digest ('': any), not read."""
    try:
        marker = json.loads((target / _MARKER).read_text(encoding="utf-8"))
    except (FileNotFoundError, NotADirectoryError, ValueError):
        return False
    if sha256 and marker["sha256"] != sha256:
        return False
    if archive.exists() and marker["archive"] != _size_and_time(archive):
        return False
    return bool(marker["content"] == _count_and_bytes(target))


def unpack(
    archive: Path, inner: str, target: Path, *, sha256: str, limits: Limits | None = None
) -> None:
    """Unpacks the folder `inner` of an archive ('': all of it); replaces `target` when complete.

    Stores `sha256`, the archive's digest, for `is_unpacked`. A DataError if the archive is damaged,
    has no such folder, exceeds the limits, or holds a path outside of its folder, a link, a device
    or an encrypted file.
    """
    target.parent.mkdir(parents=True, exist_ok=True)
    for leftover in target.parent.glob(f".{target.name}.*"):  # of a killed process
        shutil.rmtree(leftover)
    unfinished = target.with_name(f".{target.name}.{os.getpid()}")
    try:
        with _open(archive) as members:
            chosen = _choose(archive, members, inner, limits or Limits())
            check_disk_space(target, sum(member.size for _, member in chosen))
            _extract(archive, chosen, unfinished)
    except BaseException as error:
        shutil.rmtree(unfinished, ignore_errors=True)
        if isinstance(error, _DAMAGE):
            raise DataError(f"{archive}: is damaged (got {error}). Delete it and repeat.") from None
        raise
    marker = {
        "sha256": sha256,
        "archive": _size_and_time(archive),
        "content": _count_and_bytes(unfinished),
    }
    (unfinished / _MARKER).write_text(json.dumps(marker) + "\n", encoding="utf-8")
    if target.exists():
        target.rename(target.with_name(f".{target.name}.old"))
    unfinished.rename(target)
    shutil.rmtree(target.with_name(f".{target.name}.old"), ignore_errors=True)


def _size_and_time(archive: Path) -> list[int]:
    status = archive.stat()
    return [status.st_size, status.st_mtime_ns]


def _count_and_bytes(folder: Path) -> list[int]:
    files = [path for path in folder.rglob("*") if path.is_file() and path != folder / _MARKER]
    return [len(files), sum(path.stat().st_size for path in files)]


@contextmanager
def _open(archive: Path) -> Iterator[Iterator[_Member]]:
    if archive.suffix == ".zip":
        with zipfile.ZipFile(archive) as file:
            yield (_zip_member(file, info) for info in file.infolist() if not info.is_dir())
    else:
        with tarfile.open(archive) as tar:
            yield (_tar_member(tar, info) for info in tar if not info.isdir())


def _zip_member(file: zipfile.ZipFile, info: zipfile.ZipInfo) -> _Member:
    def extract(path: str, folder: Path) -> None:
        info.filename = path
        file.extract(info, folder)

    kind = stat.S_IFMT(info.external_attr >> 16)  # 0 if the archive was not made on Unix
    regular = kind in (0, stat.S_IFREG, stat.S_IFDIR) and not info.flag_bits & 1
    return _Member(info.filename, info.file_size, regular, extract)


def _tar_member(tar: tarfile.TarFile, info: tarfile.TarInfo) -> _Member:
    def extract(path: str, folder: Path) -> None:
        tar.extract(info.replace(name=path, deep=False), folder, filter="data")

    return _Member(info.name, info.size, info.isreg(), extract)


def _choose(
    archive: Path, members: Iterator[_Member], inner: str, limits: Limits
) -> list[tuple[str, _Member]]:
    """The members of a folder and their paths below it; stops at the first forbidden member."""
    chosen: list[tuple[str, _Member]] = []
    max_bytes, total = min(limits.bytes, int(limits.ratio * archive.stat().st_size)), 0
    for member in members:
        path = PurePosixPath(member.name.replace("\\", "/"))
        if path.is_absolute() or PureWindowsPath(member.name).drive or ".." in path.parts:
            raise _refusal(archive, "a path that leads out of its folder", member.name)
        if not path.is_relative_to(inner):
            continue
        if not member.regular:
            raise _refusal(archive, "a link, a device or an encrypted file", member.name)
        chosen.append((str(path.relative_to(inner)), member))
        total += member.size
        if total > max_bytes or len(chosen) > limits.files:
            what = f"more than {max_bytes} bytes or {limits.files} files"
            raise _refusal(archive, what, member.name)
    if not chosen:
        raise DataError(
            f"{archive}: holds no files in {inner or 'it'} (got none). Correct the definition."
        )
    return chosen


def _refusal(archive: Path, what: str, name: str) -> DataError:
    return DataError(
        f"{archive}: holds {what} (got {name!r}), so nothing was unpacked. "
        "Use an archive of plain photographs."
    )


def _extract(archive: Path, chosen: list[tuple[str, _Member]], folder: Path) -> None:
    folder.mkdir()
    for path, member in tqdm(chosen, f"unpacking {archive.name}", unit="file", disable=None):
        try:
            (folder / path).parent.mkdir(parents=True, exist_ok=True)
            (folder / path).touch(exist_ok=False)
            member.extract(path, folder)
        except (FileExistsError, NotADirectoryError):
            raise _refusal(archive, "two files at one place", member.name) from None
