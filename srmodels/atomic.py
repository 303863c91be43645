"""Atomic writing: a file is written whole or not at all, and never through a link.

Every output of a stage is written here, since DVC may have linked it to its cache.
"""

import csv
import json
import os
import zlib
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from io import TextIOWrapper
from pathlib import Path
from typing import BinaryIO

__all__ = ["replacing", "write_bytes", "write_json", "write_table"]

_SHOWN = 40  # characters of a name in that of its temporary file, which must fit 255 bytes


@contextmanager
def replacing(path: Path) -> Iterator[BinaryIO]:
    """Opens a temporary file in the same folder for writing and reading; renames it to `path`.

    If the block raises, the temporary file is deleted and `path` stays as it was.

    Raises:
        OSError: The folder cannot be written, or the disk is full.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    digest = zlib.crc32(os.fsencode(path.name))
    unfinished = path.with_name(f".{path.name[:_SHOWN]}.{digest:08x}.{os.getpid()}")
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
    """Writes a whole CSV file or none, in UTF-8 with other bytes of file names kept as they are.

    Raises:
        OSError: As `replacing`.
    """
    with replacing(path) as file:
        text = TextIOWrapper(file, encoding="utf-8", errors="surrogateescape", newline="")
        plain = csv.writer(text, lineterminator="\n")
        quoted = csv.writer(text, lineterminator="\n", quoting=csv.QUOTE_ALL)
        plain.writerow(header)
        for row in rows:
            # Python 3.11 does not quote a CR, which a file's name may hold
            has_cr = any(isinstance(cell, str) and "\r" in cell for cell in row)
            (quoted if has_cr else plain).writerow(row)
        text.detach()  # flushes, and leaves the file open


def write_bytes(path: Path, content: bytes) -> None:
    """Writes a whole file or none.

    Raises:
        OSError: As `replacing`.
    """
    with replacing(path) as file:
        file.write(content)


def write_json(path: Path, content: object, *, indent: int = 2) -> None:
    """Writes a whole JSON file or none.

    Raises:
        OSError: As `replacing`.
    """
    write_bytes(path, (json.dumps(content, indent=indent) + "\n").encode())
