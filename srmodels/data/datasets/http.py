"""One file over HTTP: goes on where it stopped, waits where that helps, tries the mirrors in turn.

What has arrived lies in NAME.part; NAME.part.json says of which version of the file it is a part.
A server is asked to go on (Range) only if that version is unchanged (If-Range), so that halves of
two versions are never glued together.

One HTTP request for a file or the rest of it; its failures sorted by whether they may pass.
"""

import http.client
import json
import logging
import random
import ssl
import time
import urllib.error
import urllib.request
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from email.utils import parsedate_to_datetime
from http import HTTPStatus
from http.client import HTTPResponse
from pathlib import Path

from tqdm import tqdm

from srmodels.cache import check_disk_space

__all__ = [
    "PermanentError",
    "RetryPolicy",
    "TransferError",
    "TransientError",
    "opened",
    "read_block",
    "transfer",
]

log = logging.getLogger(__name__)

_LONGEST_WAIT = 600.0  # seconds: a server that asks for more is given up


@dataclass(frozen=True, kw_only=True)
class RetryPolicy:
    """How long to go on.

    Attributes:
        attempts: Failures in a row, without a new byte in between, after which a mirror is left.
        wait: Seconds before the second attempt; doubles each time.
        timeout: Seconds of silence after which a connection counts as dropped.
    """

    attempts: int = 6
    wait: float = 1.0
    timeout: float = 30.0


class TransferError(Exception):
    """No mirror gave the file; the message has a reason for each."""


@dataclass(frozen=True, slots=True)
class _Version:
    """Which file a part is a part of; '' and 0: the server did not say."""

    url: str
    etag: str
    modified: str
    total: int

    @property
    def condition(self) -> str:
        """For If-Range, which a weak ETag must not go into (RFC 9110, section 13.1.5)."""
        return self.etag if self.etag and not self.etag.startswith("W/") else self.modified


def transfer(
    urls: Sequence[str], part: Path, *, total: int, verified: bool, patience: RetryPolicy
) -> None:
    """Completes the file `part`.

    Args:
        urls: Addresses of the same file, tried in this order.
        part: What an earlier call left is gone on from.
        total: The file's size in bytes; 0: not known.
        verified: Whether its digest is known, so that a part may be gone on with even where the
            server does not tell versions apart: two glued versions would be noticed.
        patience: How long to go on.

    Raises:
        TransferError: No mirror gave it; what arrived stays for the next call.
        DataError: The disk is too full.
    """
    reasons = []
    for url in urls:
        try:
            _from_mirror(url, part, total, verified, patience)
        except PermanentError as error:
            reasons.append(f"{url}: {error}")
        else:
            _note(part).unlink(missing_ok=True)
            return
    raise TransferError("; ".join(reasons))


def _from_mirror(url: str, part: Path, total: int, verified: bool, patience: RetryPolicy) -> None:
    failures, most = 0, _size(part)
    while True:
        try:
            return _attempt(url, part, total, verified, patience.timeout)
        except TransientError as error:
            failures = 1 if _size(part) > most else failures + 1
            most = max(most, _size(part))
            if error.stale:
                part.unlink(missing_ok=True)
                _note(part).unlink(missing_ok=True)
            if failures >= patience.attempts:
                raise PermanentError(f"{error}, {failures} times in a row") from None
            wait = patience.wait * 2 ** (failures - 1) * random.uniform(0.5, 1.5)  # noqa: S311 - jitter
            wait = max(wait, error.wait or 0)
            if wait > _LONGEST_WAIT:
                raise PermanentError(f"{error}, and asks to wait {wait:.0f} seconds") from None
            log.info("%s: %s; going on in %.1f seconds", part.stem, error, wait)
            time.sleep(wait)


def _attempt(url: str, part: Path, total: int, verified: bool, timeout: float) -> None:
    before, start = _read_note(part), _size(part)
    known = total or (before.total if before else 0)
    if start and start == known and (verified or before):
        return  # all of it had arrived when the process was killed
    same = before is not None and before.url == url and bool(before.condition)
    if not (verified or same) or (known and start > known):
        start = 0
    headers = {"User-Agent": "srmodels", "Accept-Encoding": "identity"}
    if start:
        headers["Range"] = f"bytes={start}-"
        if before is not None and same:
            headers["If-Range"] = before.condition
    with opened(url, headers, timeout=timeout) as response:
        goes_on = response.status == HTTPStatus.PARTIAL_CONTENT
        version = _version_of(url, response, goes_on)
        if goes_on:
            given = response.headers["Content-Range"] or ""
            if not given.startswith(f"bytes {start}-") or (same and version != before):
                raise TransientError("the file has changed since its first part", stale=True)
        if total and version.total and version.total != total:
            raise PermanentError(f"offers {version.total} bytes instead of {total}")
        start = start if goes_on else 0
        check_disk_space(part, version.total - start)
        _note(part).write_text(json.dumps(asdict(version)), encoding="utf-8")
        _receive(response, part, start, version.total)


def _receive(response: HTTPResponse, part: Path, start: int, total: int) -> None:
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
        while block := read_block(response):
            file.write(block)
            bar.update(len(block))
    if total and _size(part) != total:
        raise TransientError(f"the connection dropped after {_size(part)} of {total} bytes")


def _version_of(url: str, response: HTTPResponse, goes_on: bool) -> _Version:
    length = response.headers["Content-Length"] or "0"
    if goes_on:  # Content-Range: bytes 100-199/200
        length = (response.headers["Content-Range"] or "").rpartition("/")[2]
    etag, modified = response.headers["ETag"] or "", response.headers["Last-Modified"] or ""
    return _Version(url, etag, modified, int(length) if length.isdecimal() else 0)


def _size(path: Path) -> int:
    return path.stat().st_size if path.exists() else 0


def _note(part: Path) -> Path:
    return part.with_name(f"{part.name}.json")


def _read_note(part: Path) -> _Version | None:
    try:
        return _Version(**json.loads(_note(part).read_text(encoding="utf-8")))
    except (FileNotFoundError, ValueError, TypeError):  # none, or half written by a killed process
        return None


_BLOCK = 1 << 18  # bytes

_TRANSIENT = frozenset({408, 425, 429, 500, 502, 503, 504})

_BROKEN = (
    *(TimeoutError, ConnectionResetError, ConnectionAbortedError, BrokenPipeError),
    *(http.client.HTTPException, ssl.SSLEOFError),
)


class PermanentError(Exception):
    """This server will not give the file, now or later."""


class TransientError(Exception):
    """This attempt failed in a way that may pass.

    Attributes:
        wait: Seconds after which the server asks to come back; None: it does not say.
        stale: Whether the part that is there cannot be gone on from.
    """

    def __init__(self, reason: str, *, wait: float | None = None, stale: bool = False) -> None:
        super().__init__(reason)
        self.wait, self.stale = wait, stale


@contextmanager
def opened(
    url: str, headers: dict[str, str], *, timeout: float
) -> Iterator[http.client.HTTPResponse]:
    """Sends the request; the answer is a success, its body not yet read.

    Args:
        url: The address, http or https.
        headers: Of the request.
        timeout: Seconds of silence after which the connection counts as dropped.

    Raises:
        DroppedError: A time-out, a dropped connection, a server that is busy or broken.
        RefusedError: No such file, server or network; a certificate that is not trusted.
    """
    request = urllib.request.Request(url, headers=headers)  # noqa: S310 - Archive checks the scheme
    try:
        response = urllib.request.urlopen(request, timeout=timeout)  # noqa: S310
    except urllib.error.HTTPError as error:
        with error:
            raise _of_status(error) from None
    except urllib.error.URLError as error:
        kind = TransientError if isinstance(error.reason, _BROKEN) else PermanentError
        raise kind(_told(error.reason)) from None
    except _BROKEN as error:
        raise TransientError(_told(error)) from None
    with response:
        yield response


def read_block(response: http.client.HTTPResponse) -> bytes:
    """What has arrived of the body, at most 256 KiB; b'' at its end, be it the right one or not.

    Raises:
        DroppedError: The connection broke.
    """
    try:
        return response.read1(_BLOCK)  # read would lose what came before a time-out
    except (ssl.SSLError, *_BROKEN) as error:
        raise TransientError(_told(error)) from None


def _of_status(error: urllib.error.HTTPError) -> Exception:
    reason = f"HTTP {error.code} {error.reason}"
    if error.code == HTTPStatus.REQUESTED_RANGE_NOT_SATISFIABLE:
        return TransientError(reason, stale=True)
    if error.code in _TRANSIENT:
        return TransientError(reason, wait=_seconds(error.headers["Retry-After"]))
    return PermanentError(reason)


def _seconds(retry_after: str | None) -> float | None:
    """Retry-After is a number of seconds or a date (RFC 9110, section 10.2.3)."""
    if retry_after is None:
        return None
    if retry_after.isdecimal():
        return float(retry_after)
    try:
        return parsedate_to_datetime(retry_after).timestamp() - time.time()
    except ValueError:
        return None


def _told(error: object) -> str:
    if isinstance(error, TimeoutError):
        return "no answer in time"
    return getattr(error, "strerror", None) or str(error) or type(error).__name__
