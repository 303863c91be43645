"""Which reader a file goes to, and one sentence for whatever is wrong with it."""

import warnings
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO, Generic, TypeVar

import rawpy

from srmodels.errors import PhotoError
from srmodels.images.file_types import RAW, SUFFIXES, detect_reader
from srmodels.images.readers.heif import check_boxes
from srmodels.images.readers.pillow import NotABitmapError

__all__ = ["Readers", "read_with"]

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Readers(Generic[T]):
    """What makes something of a file of each kind.

    Attributes:
        bitmap: Takes the opened file; also returns the name of its format.
        heif: Takes the path.
        raw: Takes the path.
    """

    bitmap: Callable[[BinaryIO], tuple[T, str]]
    heif: Callable[[Path], T]
    raw: Callable[[Path], T]


def _unknown(head: bytes) -> str:
    if not head:
        return "is empty"
    if not head.strip(b"\0"):
        return "holds nothing but zeros"
    if all(byte >= 32 or byte in b"\t\n\r" for byte in head) and head.isascii():
        return "is a text file, not a picture"
    return f"is no kind of picture that can be read (begins with {head[:8]!r})"


def _nameless_raw(readers: Readers[T], path: Path) -> T:
    """A TIFF by its content that Pillow does not read: raw values, or beyond reading."""
    try:
        return readers.raw(path)
    except rawpy.LibRawError:
        raise PhotoError("is a damaged TIFF, or one of an unknown kind") from None


def _read(readers: Readers[T], path: Path) -> tuple[T, str]:
    with path.open("rb") as file:
        head = file.read(64)
        if head[4:8] == b"ftyp":
            check_boxes(file)
        reader = detect_reader(head, path.suffix)
        if reader == "heif":
            return readers.heif(path), "HEIF"
        if reader == "bitmap":
            try:
                return readers.bitmap(file)
            except NotABitmapError:
                if head[:4] not in (b"II*\0", b"MM\0*"):
                    raise PhotoError(_unknown(head)) from None
                return _nameless_raw(readers, path), "RAW"
    if not head.strip(b"\0"):
        raise PhotoError(_unknown(head))
    return readers.raw(path), "RAW"


def read_with(readers: Readers[T], path: Path, notes: list[str]) -> tuple[T, str]:
    """Reads a file of any kind; its content decides by which reader.

    Args:
        readers: They raise PhotoError with a reason, or whatever a codec raises.
        path: The file.
        notes: Gets a sentence where the name is that of another kind.

    Returns:
        What the reader made, and the kind: RAW, HEIF, JPEG, PNG and so on.

    Raises:
        PhotoError: `NAME: reason`.
    """
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # about side data such as EXIF; pixels raise
            made, kind = _read(readers, path)
    except PhotoError as error:
        raise PhotoError(f"{path.name}: {error}") from None
    except MemoryError:
        raise PhotoError(f"{path.name}: does not fit into memory") from None
    except Exception as error:  # noqa: BLE001 - a damaged file makes a codec raise anything
        text = error.args[0] if error.args else type(error).__name__
        text = text.decode("utf-8", "replace") if isinstance(text, bytes) else str(text)
        if isinstance(error, OSError) and error.strerror:
            raise PhotoError(f"{path.name}: cannot be opened ({error.strerror})") from None
        what = "is damaged or of an unknown kind" if path.suffix.lower() in RAW else "is damaged"
        first = (text.splitlines() or [type(error).__name__])[0]
        raise PhotoError(f"{path.name}: {what} ({first})") from None
    if path.suffix and path.suffix.lower() not in SUFFIXES[kind]:
        notes.append(f"is {kind} in spite of its name")
    return made, kind
