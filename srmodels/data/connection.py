"""One HTTP request for a file or the rest of it; its failures sorted by whether they may pass."""

import http.client
import ssl
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from email.utils import parsedate_to_datetime
from http import HTTPStatus

__all__ = ["DroppedError", "RefusedError", "opened", "read_block"]

_BLOCK = 1 << 18  # bytes
_PASSING = frozenset({408, 425, 429, 500, 502, 503, 504})
_BROKEN = (
    *(TimeoutError, ConnectionResetError, ConnectionAbortedError, BrokenPipeError),
    *(http.client.HTTPException, ssl.SSLEOFError),
)


class RefusedError(Exception):
    """This server will not give the file, now or later."""


class DroppedError(Exception):
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
        kind = DroppedError if isinstance(error.reason, _BROKEN) else RefusedError
        raise kind(_told(error.reason)) from None
    except _BROKEN as error:
        raise DroppedError(_told(error)) from None
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
        raise DroppedError(_told(error)) from None


def _of_status(error: urllib.error.HTTPError) -> Exception:
    reason = f"HTTP {error.code} {error.reason}"
    if error.code == HTTPStatus.REQUESTED_RANGE_NOT_SATISFIABLE:
        return DroppedError(reason, stale=True)
    if error.code in _PASSING:
        return DroppedError(reason, wait=_seconds(error.headers["Retry-After"]))
    return RefusedError(reason)


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
