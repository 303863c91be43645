"""One door for photographs: any file in, upright 8-bit sRGB out, or the reason why not.

What is missing is always noticed, and of PNG every changed byte. The other formats carry no
checksum of their pixels: a changed byte that still decodes gives a slightly or plainly wrong
picture of the right size, which no reader can know.
"""

import warnings
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import rawpy
from numpy.typing import NDArray

from srmodels.data.bitmap import NotABitmapError, read_bitmap
from srmodels.data.heif import check_boxes, read_heif
from srmodels.data.kinds import RAW, SUFFIXES, reader_of
from srmodels.data.raw import read_raw
from srmodels.errors import PhotoError

__all__ = ["MAX_PIXELS", "Decoded", "decode", "read"]

MAX_PIXELS = 250_000_000


@dataclass(frozen=True, slots=True)
class Decoded:
    """A photograph's pixels and what is worth knowing about the file.

    Attributes:
        pixels: uint8 (H, W, 3), sRGB, upright, writable.
        kind: RAW, HEIF, JPEG, PNG and so on: by content.
        notes: What was done to it, a sentence each.
    """

    pixels: NDArray[np.uint8]
    kind: str
    notes: tuple[str, ...]


def _unknown(head: bytes) -> str:
    if not head:
        return "is empty"
    if not head.strip(b"\0"):
        return "holds nothing but zeros"
    if all(byte >= 32 or byte in b"\t\n\r" for byte in head) and head.isascii():
        return "is a text file, not a picture"
    return f"is no kind of picture that can be read (begins with {head[:8]!r})"


def _read_nameless_raw(path: Path, half_size: bool, max_pixels: int) -> NDArray[np.uint8]:
    """A TIFF by its content that Pillow does not read: raw values, or beyond reading."""
    try:
        return read_raw(path, half_size=half_size, max_pixels=max_pixels)
    except rawpy.LibRawError:
        raise PhotoError("is a damaged TIFF, or one of an unknown kind") from None


def _read(path: Path, half_size: bool, max_pixels: int, notes: list[str]) -> Decoded:
    with path.open("rb") as file:
        head = file.read(64)
        if head[4:8] == b"ftyp":
            check_boxes(file)
        reader = reader_of(head, path.suffix)
        kind, pixels = {"raw": "RAW", "heif": "HEIF", "bitmap": ""}[reader], None
        if reader == "heif":
            pixels = read_heif(path, max_pixels=max_pixels, notes=notes)
        elif reader == "bitmap":
            try:
                pixels, kind = read_bitmap(file, max_pixels=max_pixels, notes=notes)
            except NotABitmapError:
                if head[:4] not in (b"II*\0", b"MM\0*"):
                    raise PhotoError(_unknown(head)) from None
                pixels, kind = _read_nameless_raw(path, half_size, max_pixels), "RAW"
        if pixels is None:
            if not head.strip(b"\0"):
                raise PhotoError(_unknown(head))
            pixels = read_raw(path, half_size=half_size, max_pixels=max_pixels)
    if path.suffix and path.suffix.lower() not in SUFFIXES[kind]:
        notes.append(f"is {kind} in spite of its name")
    # a photograph is handed to torch, which wants memory of its own
    return Decoded(np.require(pixels, requirements=["C", "W", "O"]), kind, tuple(notes))


def read(path: Path, *, half_size: bool = False, max_pixels: int = MAX_PIXELS) -> Decoded:
    """Decodes a photograph and tells what was done to it.

    Args:
        path: The file; its content decides how it is read.
        half_size: Camera RAW at half its size, which skips interpolation.
        max_pixels: Larger pictures are refused on the header's word.

    Raises:
        PhotoError: `NAME: reason`.
    """
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # about side data such as EXIF; pixels raise
            return _read(path, half_size, max_pixels, [])
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


def decode(
    path: Path, *, half_size: bool = False, max_pixels: int = MAX_PIXELS
) -> NDArray[np.uint8]:
    """Decodes a photograph to uint8 (H, W, 3), sRGB, upright; see `read`."""
    return read(path, half_size=half_size, max_pixels=max_pixels).pixels
