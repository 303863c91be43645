"""Chooses the reader of a file and turns every failure into a PhotoError of one sentence."""

import warnings
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from PIL import UnidentifiedImageError

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

__all__ = ["READERS", "Reader", "open_raster"]


@dataclass(frozen=True, slots=True)
class Reader:
    """A format's reader, and what it does in the words of docs/FORMATS.md."""

    read: Callable[..., Raster]
    by: str
    reads: str
    colours: str  # where they are found
    refuses: str


READERS: dict[Kind, Reader] = {
    "JPEG": Reader(
        read_jpeg_file,
        "libjpeg-turbo (simplejpeg)",
        "8 bits: grey, RGB, YCbCr, CMYK; baseline and progressive",
        "ICC; Adobe RGB by EXIF",
        "missing or damaged data, 12 bits, lossless, over 500 scans",
    ),
    "PNG": Reader(
        read_png,
        "kornia-rs; Pillow below 8 bits",
        "1 to 16 bits: grey, RGB, palette, alpha, a colour marked as clear; interlaced",
        "cICP, ICC, sRGB, gAMA and cHRM, in this order",
        "a wrong checksum of pixels, palette or clear colour, an index beyond the palette, missing "
        "rows, far more data than rows, narrow range",
    ),
    "TIFF": Reader(
        read_tiff,
        "libtiff (Pillow) for compressed strips; the layout by this project",
        "1 to 16 bits: grey, RGB, palette, CMYK, YCbCr, Lab; strips or tiles, contiguous or "
        "planar, either byte order, BigTIFF, predictor 2; none, LZW, deflate, PackBits, "
        "LZMA, zstd, JPEG, WebP, fax (CCITT, checked by coding it again). The first page that is "
        "no thumbnail",
        "ICC; Adobe RGB by EXIF",
        "floating point, values beyond 16 bits, LogL and LogLuv, ITULab, other inks than CMYK, "
        "missing strips or parts of one, other compressions",
    ),
    "HEIF": Reader(
        read_heif,
        "libheif (pillow-heif)",
        "8, 10 and 12 bits: grey, RGB, alpha; the primary picture, cropped and turned by its boxes",
        "ICC, nclx",
        "a file that is cut off, other codecs than HEVC",
    ),
    "AVIF": Reader(
        read_avif,
        "libavif (Pillow)",
        "8 bits, and 10 or 12 as 8 (noted); alpha; cropped and turned by its boxes",
        "ICC, nclx, AV1's own code points, in this order",
        "a file that is cut off",
    ),
    "WEBP": Reader(
        read_webp,
        "libwebp (Pillow)",
        "8 bits: RGB, alpha; the first frame",
        "ICC; Adobe RGB by EXIF",
        "damaged data",
    ),
    "JPEG2000": Reader(
        read_jpeg2000,
        "OpenJPEG (pylibjpeg-openjpeg)",
        "1 to 16 bits: grey, RGB, sYCC, CMYK, Lab, ROMM RGB, palette, alpha; subsampled chroma",
        "the enumerated space or ICC",
        "signed values, channels of different depth, e-sRGB and other spaces",
    ),
    "BMP": Reader(
        read_bmp,
        "this project",
        "1 to 32 bits: palette, RLE4, RLE8, bit masks, alpha masks",
        "headers 4 and 5: ICC, calibrated RGB",
        "runs beyond the 32-bit boundary of a row, missing rows, JPEG, PNG or Huffman inside",
    ),
    "GIF": Reader(
        read_gif, "Pillow", "palette, a clear colour; the first frame", "none", "damaged data"
    ),
    "PPM": Reader(
        read_netpbm,
        "this project",
        "P1 to P6, up to 16 bits, any maximum",
        "none",
        "values above the maximum, missing rows",
    ),
    "RAW": Reader(
        read_raw,
        "LibRaw (rawpy)",
        "what LibRaw develops: a DNG (cropped as it says; a gain map is noted), sensor values in "
        "any TIFF directory, or a maker's signature",
        "the camera's",
        "a file that is cut off; by its name alone nothing is taken for RAW",
    ),
}


def _unknown_content(head: bytes) -> PhotoError:
    if not head:
        return PhotoError("is empty")
    if not head.strip(b"\0"):
        return PhotoError("holds nothing but zeros")
    if all(byte >= 32 or byte in b"\t\n\r" for byte in head) and head.isascii():
        return PhotoError("is a text file, not a picture. Name an image file.")
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
        if isinstance(error, UnidentifiedImageError):  # whose text is the open file
            first_line = "its header"
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
        options: dict[str, object] = {"max_pixels": max_pixels, "notes": notes}
        if kind is None:
            raise _unknown_content(head)
        if head[4:8] == b"ftyp":
            check_boxes(file)
        if kind == "RAW":
            options["half_size"] = half_size
        raster = READERS[kind].read(file, **options)
        if path.suffix and path.suffix.lower() not in SUFFIXES[raster.kind]:
            notes.append(f"is {raster.kind} in spite of its name")
        yield raster
