"""Archives in the cache: downloaded once, checked, shared by all experiments of this machine."""

import hashlib
import logging
import tarfile
import zipfile
from pathlib import Path

from tqdm import tqdm

from srmodels.atomic import write_bytes
from srmodels.cache import FOLDER_VARIABLE
from srmodels.data.datasets.definition import Archive
from srmodels.data.datasets.http import RetryPolicy, TransferError, transfer
from srmodels.errors import DataError

log = logging.getLogger(__name__)

_BLOCK = 1 << 20  # bytes


def trusted_digest(path: Path, archive: Archive) -> str:
    """The SHA-256 that an archive must have: the defined or the recorded one; '' if unknown."""
    record = _record(path)
    if archive.sha256 or not record.exists():
        return archive.sha256
    return record.read_text(encoding="utf-8").partition(" ")[0]


def fetch(path: Path, archive: Archive, *, policy: RetryPolicy | None = None) -> str:
    """Downloads an archive unless the file exists; checks the file. The caller holds `cache_lock`.

    Returns the SHA-256. If the definition has none, that of the first copy is recorded in
    NAME.sha256 and required from then on. A DataError if the download failed or the file is another
    one.
    """
    if path.exists():
        sha256, wrong = _check(path, path, archive)
        if wrong:
            raise DataError(
                f"{path}: is not the archive that belongs here (got {wrong}). Delete it for a "
                f"new download, or put the right one there{_expected(path, archive)}."
            )
        return sha256
    part = path.with_name(f"{path.name}.part")
    urls = archive.urls
    log.info("%s: downloading%s to %s", path.name, _expected(path, archive), path.parent)
    for last in (False, True):
        verified = bool(trusted_digest(path, archive) or archive.md5)
        policy = policy or RetryPolicy()
        try:
            transfer(urls, part, total=archive.bytes, verified=verified, policy=policy)
        except TransferError as error:
            raise DataError(
                f"{path.name}: cannot be downloaded (got {error}). Get the file another way and "
                f"put it at {path}{_expected(path, archive)}, or set {FOLDER_VARIABLE} to the "
                "folder that has it."
            ) from None
        sha256, wrong = _check(part, path, archive)
        if not wrong:
            part.replace(path)
            return sha256
        part.unlink()
        if not last:
            log.warning("%s: wrong file (got %s); downloading again", path.name, wrong)
            urls = (*urls[1:], urls[0])  # another mirror first, if there is one
    raise DataError(
        f"{path.name}: the servers have another file (got {wrong}). If it was replaced on "
        f"purpose, correct its definition or delete {_record(path)}{_expected(path, archive)}."
    )


def _expected(path: Path, archive: Archive) -> str:
    """What is known of the right file, in brackets, for the end of a sentence."""
    sha256 = trusted_digest(path, archive)
    known = [f"{archive.bytes} bytes"] if archive.bytes else []
    known += [f"SHA-256 {sha256}"] if sha256 else []
    known += [f"MD5 {archive.md5}"] if archive.md5 and not sha256 else []
    return f" ({', '.join(known)})" if known else ""


def _check(file: Path, path: Path, archive: Archive) -> tuple[str, str]:
    """The SHA-256 of `file`, and what is wrong or ''; records the SHA-256 if none was known."""
    size = file.stat().st_size
    if archive.bytes and size != archive.bytes:
        return "", f"{size} bytes"
    sha256, md5 = _digests(file)
    trusted = trusted_digest(path, archive)
    if trusted:
        return sha256, "" if sha256 == trusted else f"SHA-256 {sha256}"
    if archive.md5 and md5 != archive.md5:
        return sha256, f"MD5 {md5}"
    is_archive = zipfile.is_zipfile if path.suffix == ".zip" else tarfile.is_tarfile
    if not is_archive(file):  # for example an HTML page
        return sha256, f"no {path.suffix} archive"
    write_bytes(_record(path), f"{sha256}  {path.name}\n".encode())
    log.info("%s: recorded the SHA-256 of this copy, %s", path.name, sha256)
    return sha256, ""


def _digests(file: Path) -> tuple[str, str]:
    sha256, md5 = hashlib.sha256(), hashlib.md5(usedforsecurity=False)
    size = file.stat().st_size
    with (
        file.open("rb") as content,
        tqdm(desc="checking", total=size, unit="B", unit_scale=True, disable=None) as bar,
    ):
        while block := content.read(_BLOCK):
            sha256.update(block)
            md5.update(block)
            bar.update(len(block))
    return sha256.hexdigest(), md5.hexdigest()


def _record(path: Path) -> Path:
    return path.with_name(f"{path.name}.sha256")  # in the format of `sha256sum --check`
