"""What a user reads while pictures are enlarged: how far it is, and that a result is large."""

import logging
import sys
import time
from typing import NoReturn, TextIO

from tqdm import tqdm

log = logging.getLogger(__name__)

_LINE_SECONDS = 10.0
_BAR = "{desc}: {percentage:3.0f}% |{bar}| {elapsed}, {remaining} to go{postfix}"
_LINE = "{desc}: {percentage:.0f} %, {elapsed}, {remaining} to go{postfix}"
_LARGE = 100_000_000  # pixels; above 89 million Pillow warns, above 179 it refuses to open a file


class _Lines:
    """A file for tqdm that writes a line each ten seconds instead of a bar."""

    def __init__(self, stream: TextIO) -> None:
        self._stream, self._written = stream, time.monotonic()

    def write(self, text: str) -> None:
        line, now = text.strip(), time.monotonic()
        if line and now - self._written >= _LINE_SECONDS:
            self._written = now
            self._stream.write(f"{line}\n")

    def flush(self) -> None:
        self._stream.flush()


def progress_bar(total: int) -> "tqdm[NoReturn]":
    """A bar on a terminal; where stderr is a file or a pipe, a line each ten seconds."""
    if sys.stderr.isatty():
        return tqdm(total=total, desc="upscale", bar_format=_BAR)
    return tqdm(total=total, desc="upscale", bar_format=_LINE, file=_Lines(sys.stderr))


def warn_of_size(name: str, height: int, width: int) -> None:
    """Says that a result is larger than many programs open, before it is computed."""
    if height * width > _LARGE:
        log.warning(
            "%s: the result has %d megapixels (%d x %d), which many programs do not open; "
            "--scale 2 or --max-side 10000 makes it smaller",
            name,
            round(height * width / 1e6),
            width,
            height,
        )
