"""Chooses the reader of a file and turns every failure into a PhotoError of one sentence."""

import warnings
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

from srmodels.errors import PhotoError
from srmodels.images.file_types import RAW, SUFFIXES, Kind, detect_kind
from srmodels.images.limits import no_pillow_limit
from srmodels.images.readers.avif import read_avif
from srmodels.images.readers.bmp import read_bmp
from srmodels.images.readers.boxes import check_boxes
from srmodels.images.readers.heif import read_heif
from srmodels.images.readers.jpeg2000.read import read_jpeg2000
from srmodels.images.readers.netpbm import read_netpbm
from srmodels.images.readers.pillow import read_gif, read_jpeg_file, read_webp
from srmodels.images.readers.png.read import read_png
from srmodels.images.readers.raster import Raster
from srmodels.images.readers.raw import read_raw
from srmodels.images.readers.tiff.read import read_tiff

__all__ = ["open_raster"]

_READERS: dict[Kind, Callable[..., Raster]] = {
    "AVIF": read_avif,
    "BMP": read_bmp,
    "GIF": read_gif,
    "HEIF": read_heif,
    "JPEG": read_jpeg_file,
    "JPEG2000": read_jpeg2000,
    "PNG": read_png,
    "PPM": read_netpbm,
    "TIFF": read_tiff,
    "WEBP": read_webp,
}


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


@contextmanager
def open_raster(path: Path, *, half_size: bool = False, max_pixels: int) -> Iterator[Raster]:
    """Decodes a file with the reader that fits its content; its notes name another's suffix.

    The file stays open within the context, for its metadata. Raises PhotoError, as does whatever
    fails within the context: `NAME: reason`.
    """
    notes: list[str] = []
    with _as_photo_error(path), path.open("rb") as file, no_pillow_limit():
        head = file.read(64)
        kind = detect_kind(file)
        options = {"max_pixels": max_pixels, "notes": notes}
        if kind is None:
            raise _unknown_content(head)
        if head[4:8] == b"ftyp":
            check_boxes(file)
        if kind == "RAW":
            raster = read_raw(file, half_size=half_size, **options)  # type: ignore[arg-type]
        else:
            raster = _READERS[kind](file, **options)
        if path.suffix and path.suffix.lower() not in SUFFIXES[raster.kind]:
            notes.append(f"is {raster.kind} in spite of its name")
        yield raster
