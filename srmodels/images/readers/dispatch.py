"""Chooses the reader of a file and turns every failure into a PhotoError of one sentence."""

import warnings
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import BinaryIO, TypeVar

import rawpy

from srmodels.errors import PhotoError
from srmodels.images.file_types import RAW, SUFFIXES, detect_reader
from srmodels.images.readers.heif import check_boxes
from srmodels.images.readers.pillow import NotABitmapError

__all__ = ["read_with"]

T = TypeVar("T")


def _unknown_content(head: bytes) -> PhotoError:
    if not head:
        return PhotoError("is empty")
    if not head.strip(b"\0"):
        return PhotoError("holds nothing but zeros")
    if all(byte >= 32 or byte in b"\t\n\r" for byte in head) and head.isascii():
        return PhotoError("is a text file, not a picture")
    return PhotoError(f"is no kind of picture that can be read (begins with {head[:8]!r})")


@contextmanager
def _as_photo_error(path: Path) -> Iterator[None]:
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # about side data such as EXIF; pixels raise
            yield
    except PhotoError as error:
        raise PhotoError(f"{path.name}: {error}") from None
    except MemoryError:
        raise PhotoError(f"{path.name}: does not fit into memory") from None
    except Exception as error:  # noqa: BLE001 - a damaged file makes a codec raise anything
        if isinstance(error, OSError) and error.strerror:
            raise PhotoError(f"{path.name}: cannot be opened ({error.strerror})") from None
        text = error.args[0] if error.args else type(error).__name__
        text = text.decode("utf-8", "replace") if isinstance(text, bytes) else str(text)
        first_line = (text.splitlines() or [type(error).__name__])[0]
        problem = "is damaged or of an unknown kind" if path.suffix.lower() in RAW else "is damaged"
        raise PhotoError(f"{path.name}: {problem} ({first_line})") from None


def read_with(
    path: Path,
    notes: list[str],
    *,
    bitmap: Callable[[BinaryIO], tuple[T, str]],
    heif: Callable[[Path], T],
    raw: Callable[[Path], T],
) -> tuple[T, str]:
    """Reads a file with the reader that fits its content.

    Returns the reader's result and the format (RAW, HEIF, JPEG, PNG and so on). `notes` gets a
    sentence if the suffix is that of another format. Raises PhotoError: `NAME: reason`.
    """
    with _as_photo_error(path), path.open("rb") as file:
        head = file.read(64)
        if head[4:8] == b"ftyp":
            check_boxes(file)
        reader = detect_reader(head, path.suffix)
        if reader == "bitmap":
            try:
                result, kind = bitmap(file)
            except NotABitmapError:
                if head[:4] not in (b"II*\0", b"MM\0*"):
                    raise _unknown_content(head) from None
                try:  # a TIFF: raw sensor values, or damaged
                    result, kind = raw(path), "RAW"
                except rawpy.LibRawError:
                    raise PhotoError("is a damaged TIFF, or one of an unknown kind") from None
        elif reader == "heif":
            result, kind = heif(path), "HEIF"
        elif head.strip(b"\0"):
            result, kind = raw(path), "RAW"
        else:
            raise _unknown_content(head)
    if path.suffix and path.suffix.lower() not in SUFFIXES[kind]:
        notes.append(f"is {kind} in spite of its name")
    return result, kind
