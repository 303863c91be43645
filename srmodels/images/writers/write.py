"""Results to files of every kind that is written: by rows, or put together in memory."""

import io
import logging
from dataclasses import replace
from pathlib import Path
from typing import Any, BinaryIO

import numpy as np
import pillow_heif
from numpy.typing import NDArray
from PIL import Image

from srmodels.atomic import replacing
from srmodels.errors import PhotoError
from srmodels.images.writers.formats import Format, format_of
from srmodels.images.writers.png import write_png
from srmodels.images.writers.row_stream import RowStream, row_stream
from srmodels.images.writers.tiff import write_tiff

__all__ = ["QUALITY", "write_picture", "write_rows"]

log = logging.getLogger(__name__)

QUALITY = 95  # best that is still small; the network's work should not end as JPEG blocks
_PILLOW: dict[str, tuple[str, dict[str, Any]]] = {
    "jpeg": ("JPEG", {"subsampling": 0}),
    "webp": ("WEBP", {"use_sharp_yuv": True}),
    "heic": ("HEIF", {"chroma": 444}),
    "avif": ("AVIF", {"subsampling": "4:4:4"}),
}


def _beside(sheet: RowStream, kind: Format, name: str) -> dict[str, Any]:
    """The metadata as Pillow takes it."""
    metadata = sheet.metadata
    grey_as_such = sheet.channels == 1 and kind.grey
    if metadata.icc and sheet.channels < 3 and not grey_as_such:
        log.warning("%s: %s has no profile for grey; it is left out", name, kind.name)
        metadata = replace(metadata, icc=None)
    found: dict[str, Any] = {
        "icc_profile": metadata.icc,
        "exif": metadata.exif,
        "xmp": metadata.xmp,
    }
    if metadata.dpi and kind.name == "jpeg":
        found["dpi"] = tuple(round(value) for value in metadata.dpi)
    return {key: value for key, value in found.items() if value is not None}


def _image(sheet: RowStream, kind: Format, name: str) -> Image.Image:
    """The whole picture as Pillow's.

    Raises:
        PhotoError: It is transparent in parts, which the kind of file cannot show.
    """
    pixels = sheet.whole()
    if not kind.alpha and sheet.channels in (2, 4):
        lowest = pixels[..., -1].min()
        if lowest < np.iinfo(pixels.dtype).max:
            raise PhotoError(
                f"{name}: is partly transparent (alpha down to {lowest}), which {kind.name} cannot "
                "show; write .png, .tif, .webp, .heic or .avif"
            )
        pixels = pixels[..., :-1]
    return Image.fromarray(pixels[..., 0] if pixels.shape[2] == 1 else pixels)


def write_rows(
    file: BinaryIO, sheet: RowStream, kind: Format, *, name: str, quality: int = QUALITY
) -> None:
    """Writes a picture.

    Args:
        file: Opened for writing and reading, at its beginning.
        sheet: 8 bits, or 16 where the kind of file holds them.
        kind: Of the file.
        name: For the errors.
        quality: 1 to 100, where the kind of file loses something.

    Raises:
        PhotoError: The kind of file cannot hold the picture.
        OSError: The disk is full.
    """
    kind.check(name, sheet.height, sheet.width)
    if kind.by_rows:
        (write_png if kind.name == "png" else write_tiff)(file, sheet)
        return
    assert sheet.bits == 8, f"{kind.name} holds 8 bits"
    pillow, options = _PILLOW[kind.name]
    image, beside = _image(sheet, kind, name), _beside(sheet, kind, name)
    encoded = io.BytesIO()
    if pillow == "HEIF":
        pillow_heif.register_heif_opener()
    try:
        image.save(encoded, pillow, quality=quality, **options, **beside)
    except (OSError, ValueError, RuntimeError) as error:
        raise PhotoError(
            f"{name}: {kind.name} cannot hold its result ({error}); write .png or .tif"
        ) from None
    file.write(encoded.getbuffer())


def write_picture(path: Path, picture: NDArray[np.uint8]) -> None:
    """Writes uint8 (H, W, 3) in the format of the file's ending, whole or not at all.

    Raises:
        ConfigError: The ending is none that is written.
        PhotoError: The format cannot hold the picture (JPEG and WebP have a largest size).
        OSError: The folder cannot be written to, or the disk is full.
    """
    kind, sheet = format_of(path), row_stream(picture)
    kind.check(path.name, sheet.height, sheet.width)
    with replacing(path) as file:
        write_rows(file, sheet, kind, name=path.name)
