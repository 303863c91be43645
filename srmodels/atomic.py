"""Files that are written whole or not at all."""

import csv
import os
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import BinaryIO

__all__ = ["replacing", "write_bytes", "write_table"]


@contextmanager
def replacing(path: Path) -> Iterator[BinaryIO]:
    """Opens a file under another name in the same folder, which becomes `path` at the end.

    Yields:
        The file, for writing and reading. If the block raises, `path` is as it was.

    Raises:
        OSError: The folder cannot be written to, or the disk is full.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    unfinished = path.with_name(f".{path.name}.{os.getpid()}")
    try:
        with unfinished.open("w+b") as file:
            yield file
            file.flush()
            os.fsync(file.fileno())
        unfinished.replace(path)
    except BaseException as error:
        unfinished.unlink(missing_ok=True)
        if isinstance(error, OSError) and error.filename is None:
            error.filename = str(path)  # a full disk does not say where
        raise


def write_table(path: Path, header: Sequence[str], rows: Iterable[Sequence[object]]) -> None:
    """Writes a CSV file; names that are not UTF-8 survive the way into it and back."""
    with path.open("w", newline="", encoding="utf-8", errors="surrogateescape") as file:
        writer = csv.writer(file, lineterminator="\n")
        writer.writerow(header)
        writer.writerows(rows)


def write_bytes(path: Path, content: bytes) -> None:
    """Writes a file whole or not at all: under another name in the same folder, then renamed.

    Raises:
        OSError: The folder cannot be written to, or the disk is full; `path` is as it was.
    """
    with replacing(path) as file:
        file.write(content)
