"""Writes images in every output format, by rows or from memory."""

import io
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

QUALITY = 95  # small, and without visible JPEG blocks
_PILLOW: dict[str, tuple[str, dict[str, Any]]] = {
    "jpeg": ("JPEG", {"subsampling": 0}),
    "webp": ("WEBP", {"use_sharp_yuv": True}),
    "heic": ("HEIF", {"chroma": 444}),
    "avif": ("AVIF", {"subsampling": "4:4:4"}),
}


def _pillow_metadata(stream: RowStream, kind: Format) -> dict[str, Any]:
    metadata, has_alpha = stream.metadata, stream.channels in (2, 4)
    kept = kind.keeps_profile(stream.channels - has_alpha, has_alpha)
    assert kept or not metadata.icc, "convert to sRGB first (SourceImage.without_profile)"
    options: dict[str, Any] = {
        "exif": metadata.exif,
        "xmp": metadata.xmp,
        "icc_profile": metadata.icc,
    }
    if metadata.dpi and kind.name == "jpeg":
        options["dpi"] = tuple(round(value) for value in metadata.dpi)
    return {key: value for key, value in options.items() if value is not None}


def _pillow_image(stream: RowStream, kind: Format, name: str) -> Image.Image:
    """The image in memory; raises PhotoError if the format cannot show its transparency."""
    pixels = stream.to_array()
    if not kind.alpha and stream.channels in (2, 4):
        lowest = pixels[..., -1].min()
        if lowest < np.iinfo(pixels.dtype).max:
            raise PhotoError(
                f"{name}: is partly transparent, which {kind.name} cannot show (got alpha down to "
                f"{lowest}). Write .png, .tif, .webp, .heic or .avif."
            )
        pixels = pixels[..., :-1]
    return Image.fromarray(pixels[..., 0] if pixels.shape[2] == 1 else pixels)


def write_rows(
    file: BinaryIO, stream: RowStream, kind: Format, *, name: str, quality: int = QUALITY
) -> None:
    """Writes an image of 8 bits, or 16 if the format holds them.

    `file` is open for writing and reading, `name` is for errors, `quality` (1 to 100) for lossy
    formats. Raises PhotoError if the format cannot hold the image.
    """
    kind.check(name, stream.height, stream.width)
    if kind.by_rows:
        (write_png if kind.name == "png" else write_tiff)(file, stream)
        return
    assert stream.bits == 8, f"{kind.name} holds 8 bits"
    pillow_format, options = _PILLOW[kind.name]
    image = _pillow_image(stream, kind, name)
    options = {"quality": quality, **options, **_pillow_metadata(stream, kind)}
    encoded = io.BytesIO()
    if pillow_format == "HEIF":
        pillow_heif.register_heif_opener()
    try:
        image.save(encoded, pillow_format, **options)
    except (OSError, ValueError, RuntimeError) as error:
        raise PhotoError(
            f"{name}: {kind.name} cannot hold the result (got {error}). Write .png or .tif."
        ) from None
    file.write(encoded.getbuffer())


def write_picture(path: Path, picture: NDArray[np.uint8]) -> None:
    """Writes uint8 (H, W, 3) atomically, in the format of the suffix.

    Raises ConfigError for an unknown suffix, PhotoError if the image is too large for the format.
    """
    kind, stream = format_of(path), row_stream(picture)
    kind.check(path.name, stream.height, stream.width)
    with replacing(path) as file:
        write_rows(file, stream, kind, name=path.name)
