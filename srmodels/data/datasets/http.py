"""Resumable download of one file over HTTP, with retries and mirrors.

NAME.part holds the bytes received so far, NAME.part.json the version of the file they belong to.
If-Range makes the server resume only that version, so a file never mixes two versions.
"""

import http.client
import json
import logging
import ssl
import time
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from http import HTTPStatus
from pathlib import Path

import requests
from tqdm import tqdm
from urllib3.exceptions import HTTPError, InvalidHeader, MaxRetryError
from urllib3.exceptions import TimeoutError as ReadTimeout
from urllib3.util import Retry

from srmodels.atomic import write_bytes
from srmodels.cache import check_disk_space

log = logging.getLogger(__name__)

_MAX_WAIT = 600.0  # seconds
_BLOCK = 1 << 18  # bytes
_TRANSIENT = frozenset({408, 425, 429, 500, 502, 503, 504})
_DROPPED = (
    *(ConnectionResetError, ConnectionAbortedError, BrokenPipeError),
    *(http.client.HTTPException, ssl.SSLEOFError),
)


@dataclass(frozen=True, kw_only=True)
class RetryPolicy:
    """When to give up on a server."""

    attempts: int = 6  # failures in a row without a new byte
    wait: float = 1.0  # seconds, the factor of urllib3's exponential back-off
    timeout: float = 30.0  # seconds without data


class TransferError(Exception):
    """A server, or every mirror, does not deliver the file."""


class _TransientError(Exception):
    """Another attempt may succeed, after `wait` seconds; a `stale` part must be deleted first."""

    def __init__(self, reason: str, *, wait: float = 0.0, stale: bool = False) -> None:
        super().__init__(reason)
        self.wait, self.stale = wait, stale


@dataclass(frozen=True, slots=True)
class _Version:
    """The version of a file that a server sent; '' and 0 for missing headers."""

    url: str
    etag: str
    modified: str
    total: int

    @property
    def condition(self) -> str:
        """The value of If-Range, which must not be a weak ETag (RFC 9110, section 13.1.5)."""
        return self.etag if self.etag and not self.etag.startswith("W/") else self.modified


def transfer(
    urls: Sequence[str], part: Path, *, total: int, verified: bool, policy: RetryPolicy
) -> None:
    """Downloads a file of `total` bytes (0: unknown) to `part`; resumes what is there.

    Tries the mirrors in the order of `urls`. If the digest will be `verified`, a part is resumed
    even if the server sends no version. A TransferError if no mirror delivers the file; `part`
    keeps what was received.
    """
    reasons = []
    for url in urls:
        try:
            _download(url, part, total, verified, policy)
        except TransferError as error:
            reasons.append(f"{url}: {error}")
        else:
            _version_file(part).unlink(missing_ok=True)
            return
    raise TransferError("; ".join(reasons))


def _download(url: str, part: Path, total: int, verified: bool, policy: RetryPolicy) -> None:
    retry = fresh = Retry(
        policy.attempts - 1, backoff_factor=policy.wait, backoff_jitter=policy.wait
    )
    largest = _size(part)
    while True:
        try:
            return _attempt(url, part, total, verified, policy.timeout)
        except _TransientError as error:
            if _size(part) > largest:
                retry, largest = fresh, _size(part)
            if error.stale:
                part.unlink(missing_ok=True)
                _version_file(part).unlink(missing_ok=True)
            try:
                retry = retry.increment("GET", url)
            except MaxRetryError:
                message = f"{error}, {policy.attempts} times in a row"
                raise TransferError(message) from None
            wait = max(retry.get_backoff_time(), error.wait)
            if wait > _MAX_WAIT:
                raise TransferError(f"{error}, asks to wait {wait:.0f} seconds") from None
            log.info("%s: %s; retrying in %.1f seconds", part.stem, error, wait)
            time.sleep(wait)


def _attempt(url: str, part: Path, total: int, verified: bool, timeout: float) -> None:
    before, start = _read_version(part), _size(part)
    expected = total or (before.total if before else 0)
    if start and start == expected and (verified or before):
        return  # the process was killed after the last byte
    same = before is not None and before.url == url and bool(before.condition)
    if not (verified or same) or (expected and start > expected):
        start = 0
    headers = {"User-Agent": "srmodels", "Accept-Encoding": "identity"}
    if start:
        headers["Range"] = f"bytes={start}-"
        if before is not None and same:
            headers["If-Range"] = before.condition
    try:
        with (
            requests.Session() as session,
            session.get(url, headers=headers, timeout=timeout, stream=True) as response,
        ):
            _check_status(response)
            resumed = response.status_code == HTTPStatus.PARTIAL_CONTENT
            version = _version_of(url, response, resumed)
            if resumed:
                content_range = response.headers.get("Content-Range", "")
                if not content_range.startswith(f"bytes {start}-") or (same and version != before):
                    raise _TransientError("the file has changed since its first part", stale=True)
            if total and version.total and version.total != total:
                raise TransferError(f"offers {version.total} bytes instead of {total}")
            start = start if resumed else 0
            check_disk_space(part, version.total - start)
            write_bytes(_version_file(part), json.dumps(asdict(version)).encode())
            _receive(response, part, start, version.total)
    except (requests.Timeout, ReadTimeout):
        raise _TransientError("no answer in time") from None
    except (requests.RequestException, HTTPError) as error:
        cause = _innermost(error)
        reason = getattr(cause, "strerror", None) or str(cause) or type(cause).__name__
        raise (_TransientError if isinstance(cause, _DROPPED) else TransferError)(reason) from None


def _check_status(response: requests.Response) -> None:
    if response.status_code in (HTTPStatus.OK, HTTPStatus.PARTIAL_CONTENT):
        return
    reason = f"HTTP {response.status_code} {response.reason}"
    if response.status_code == HTTPStatus.REQUESTED_RANGE_NOT_SATISFIABLE:
        raise _TransientError(reason, stale=True)
    if response.status_code not in _TRANSIENT:
        raise TransferError(reason)
    try:
        wait = Retry().get_retry_after(response.raw) or 0.0
    except InvalidHeader:
        wait = 0.0
    raise _TransientError(reason, wait=wait)


def _receive(response: requests.Response, part: Path, start: int, total: int) -> None:
    with (
        part.open("ab" if start else "wb", buffering=0) as file,
        tqdm(
            desc=part.stem,
            initial=start,
            total=total or None,
            unit="B",
            unit_scale=True,
            disable=None,
        ) as bar,
    ):
        # `read1` returns what has arrived; `iter_content` would lose a block at a time-out
        while block := response.raw.read1(_BLOCK, decode_content=False):
            file.write(block)
            bar.update(len(block))
    if total and _size(part) != total:
        raise _TransientError(f"the connection dropped after {_size(part)} of {total} bytes")


def _version_of(url: str, response: requests.Response, resumed: bool) -> _Version:
    headers = response.headers
    length = headers.get("Content-Length", "0")
    if resumed:  # Content-Range: bytes 100-199/200
        length = headers.get("Content-Range", "").rpartition("/")[2]
    total = int(length) if length.isdecimal() else 0
    return _Version(url, headers.get("ETag", ""), headers.get("Last-Modified", ""), total)


def _size(path: Path) -> int:
    return path.stat().st_size if path.exists() else 0


def _version_file(part: Path) -> Path:
    return part.with_name(f"{part.name}.json")


def _read_version(part: Path) -> _Version | None:
    try:
        return _Version(**json.loads(_version_file(part).read_bytes()))
    except (FileNotFoundError, ValueError, TypeError):
        return None


def _innermost(error: BaseException) -> BaseException:
    """The first error of a chain, such as ConnectionRefusedError."""
    while cause := error.__cause__ or error.__context__:
        error = cause
    return error
