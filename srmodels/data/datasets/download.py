"""Archives in the cache: fetched once, checked, shared by all experiments of this machine."""

import hashlib
import logging
import tarfile
import zipfile
from pathlib import Path

from tqdm import tqdm

from srmodels.cache import FOLDER_VARIABLE
from srmodels.data.datasets.definition import Archive
from srmodels.data.datasets.http import RetryPolicy, TransferError, transfer
from srmodels.errors import DataError

__all__ = ["fetch", "trusted_digest"]

log = logging.getLogger(__name__)

_BLOCK = 1 << 20  # bytes


def trusted_digest(path: Path, archive: Archive) -> str:
    """The SHA-256 an archive must have: the definition's, else the recorded one, else ''."""
    record = _record(path)
    if archive.sha256 or not record.exists():
        return archive.sha256
    return record.read_text(encoding="utf-8").partition(" ")[0]


def fetch(path: Path, archive: Archive, *, patience: RetryPolicy | None = None) -> str:
    """Sees that an archive is in the cache and is the right one; call it under `alone`.

    A file that is there already, put there by hand say, is checked and used. Where the definition
    knows no SHA-256, that of the first copy is recorded in NAME.sha256 and holds from then on.

    Args:
        path: Where it belongs.
        archive: What it is.
        patience: How long to go on; None: the defaults.

    Returns:
        Its SHA-256.

    Raises:
        DataError: It cannot be fetched, or what arrived, or lay there, is something else.
    """
    if path.exists():
        sha256, wrong = _checked(path, path, archive)
        if wrong:
            raise DataError(
                f"{path}: is not the archive that belongs here (found {wrong}); delete it, and it "
                f"is downloaded, or put another there{_asked(path, archive)}"
            )
        return sha256
    part = path.with_name(f"{path.name}.part")
    urls = archive.urls
    log.info("%s: downloading it%s to %s", path.name, _asked(path, archive), path.parent)
    for last in (False, True):
        try:
            verified = bool(trusted_digest(path, archive) or archive.md5)
            transfer(
                urls,
                part,
                total=archive.bytes,
                verified=verified,
                patience=patience or RetryPolicy(),
            )
        except TransferError as error:
            raise DataError(
                f"{path.name}: cannot be downloaded (found {error}); fetch it by other means and "
                f"put it at {path}{_asked(path, archive)}, or set {FOLDER_VARIABLE} to the folder "
                "that has it"
            ) from None
        sha256, wrong = _checked(part, path, archive)
        if not wrong:
            part.replace(path)
            return sha256
        part.unlink()
        if not last:
            log.warning("%s: what arrived is wrong (found %s); once more", path.name, wrong)
            urls = (*urls[1:], urls[0])  # another mirror first, where there is one
    raise DataError(
        f"{path.name}: the servers give another file (found {wrong}); if it was replaced on "
        f"purpose, mend its definition or delete {_record(path)}{_asked(path, archive)}"
    )


def _asked(path: Path, archive: Archive) -> str:
    """What is known of the right file, in brackets, for the end of a sentence."""
    sha256 = trusted_digest(path, archive)
    known = [f"{archive.bytes} bytes"] if archive.bytes else []
    known += [f"SHA-256 {sha256}"] if sha256 else []
    known += [f"MD5 {archive.md5}"] if archive.md5 and not sha256 else []
    return f" ({', '.join(known)})" if known else ""


def _checked(file: Path, path: Path, archive: Archive) -> tuple[str, str]:
    """The SHA-256 of a file, and what is wrong with it or ''; records what was not known yet."""
    size = file.stat().st_size
    if archive.bytes and size != archive.bytes:
        return "", f"{size} bytes"
    sha256, md5 = _digests(file)
    trusted = trusted_digest(path, archive)
    if trusted and sha256 != trusted:
        return sha256, f"SHA-256 {sha256}"
    if not trusted and archive.md5 and md5 != archive.md5:
        return sha256, f"MD5 {md5}"
    if not trusted and not _opens(file, path.suffix):
        return sha256, f"no {path.suffix} archive"  # a page that says the file has moved, say
    if not trusted:
        _record(path).write_text(f"{sha256}  {path.name}\n", encoding="utf-8")
        log.info(
            "%s: its SHA-256 is not known beforehand; this copy's, %s, is recorded in %s and "
            "holds from now on",
            *(path.name, sha256, _record(path)),
        )
    return sha256, ""


def _opens(file: Path, suffix: str) -> bool:
    return zipfile.is_zipfile(file) if suffix == ".zip" else tarfile.is_tarfile(file)


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
    # in the form that `sha256sum --check` reads
    return path.with_name(f"{path.name}.sha256")
