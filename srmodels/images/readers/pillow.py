"""Everything Pillow knows, each format by the reader that loses and hides the least of it."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import BinaryIO

import numpy as np
from numpy.typing import NDArray
from PIL import ExifTags, Image, ImageFile, UnidentifiedImageError

from srmodels.errors import PhotoError
from srmodels.images.colour import apply_orientation, drop_opaque_alpha, to_srgb
from srmodels.images.limits import no_own_limit, too_large
from srmodels.images.readers.high_bit_depth import (
    read_16bit_colour,
    read_16bit_grey,
    read_16bit_jpeg2000,
)
from srmodels.images.readers.jpeg import NotCheckableError, read_jpeg
from srmodels.images.readers.png import check_png, check_rows, decode_png, orientation_of_png

__all__ = [
    "NotABitmapError",
    "open_bitmap",
    "opened",
    "orientation_of",
    "read_bitmap",
    "read_jpeg_picture",
]

# No formats that run programs (EPS), and none without a signature (TGA).
_FORMATS = ("AVIF", "BMP", "GIF", "JPEG", "JPEG2000", "PNG", "PPM", "TIFF", "WEBP")

_PHOTOMETRIC, _DNG = 262, 50706

_RAW_PHOTOMETRIC = (32803, 34892)  # colour filter array, linear raw (DNG 1.7, table 1)


class NotABitmapError(Exception):
    """The file is none of the kinds Pillow reads; a TIFF with raw sensor values is none either."""


def open_bitmap(file: BinaryIO) -> ImageFile.ImageFile:
    """Opens the first picture of a file, of whatever size; raises NotABitmapError."""
    file.seek(0)
    try:
        image = Image.open(file, formats=_FORMATS)
    except UnidentifiedImageError:
        raise NotABitmapError from None
    tags = getattr(image, "tag_v2", {})
    if image.format == "TIFF" and (_DNG in tags or tags.get(_PHOTOMETRIC) in _RAW_PHOTOMETRIC):
        raise NotABitmapError
    return image


def _load(image: ImageFile.ImageFile, file: BinaryIO) -> Image.Image:
    """Decodes by Pillow to 8 bits without alpha."""
    plain = read_16bit_colour(image, file, lambda: open_bitmap(file))
    image.load()
    if image.mode == "F":
        raise PhotoError("has floating-point values; export 8 or 16 bits")
    if plain is None:
        plain = read_16bit_grey(image) if image.mode.startswith("I") else image
    return drop_opaque_alpha(plain)


def orientation_of(image: Image.Image) -> int:
    """EXIF's orientation, 1 to 8; of a TIFF after loading, for Pillow turns it and then forgets."""
    return int(image.getexif().get(ExifTags.Base.Orientation, 1))


def read_jpeg_picture(
    image: ImageFile.ImageFile, file: BinaryIO, notes: list[str]
) -> Image.Image | NDArray[np.uint8]:
    """The first picture of a JPEG file, opened and not loaded: an array, or an image of mode CMYK.

    Raises:
        PhotoError: Something is missing or damaged.
    """
    file.seek(0)
    try:
        pixels = read_jpeg(file.read(), image.mode, notes)
    except NotCheckableError:
        notes.append("is a JPEG of an unusual build, which was not checked for damage")
        return _load(image, file)
    if image.mode == "CMYK":
        return Image.frombytes("CMYK", image.size, (255 - pixels).tobytes())
    return pixels


def _read(
    image: ImageFile.ImageFile, kind: str, file: BinaryIO, notes: list[str]
) -> tuple[Image.Image | NDArray[np.uint8], int]:
    """A picture of 8 bits without alpha, and its orientation."""
    if kind == "JPEG":
        return read_jpeg_picture(image, file, notes), orientation_of(image)
    picture: Image.Image | NDArray[np.uint8] | None = None
    if kind == "PNG":
        file.seek(0)
        body = file.read()
        check_png(body)
        picture = decode_png(body, image)
        if picture is not None:
            return picture, orientation_of_png(body, image)
        check_rows(body)
    if kind == "JPEG2000":
        file.seek(0)
        picture = read_16bit_jpeg2000(file.read())
    if picture is None:
        picture = _load(image, file)
    # after loading: Pillow turns a TIFF itself and then forgets its orientation
    return picture, orientation_of(image)


@contextmanager
def opened(
    file: BinaryIO, *, max_pixels: int, notes: list[str]
) -> Iterator[tuple[ImageFile.ImageFile, str]]:
    """Opens the first picture of a file, to be decoded within the context.

    Args:
        file: Opened for reading, with a position.
        max_pixels: More than this is refused on the header's word, before anything is decoded.
        notes: Gets sentences for the manifest.

    Yields:
        The picture, not yet loaded, and the name of its format.

    Raises:
        NotABitmapError: Another reader may know the file.
        PhotoError: It is too large.
    """
    with no_own_limit():
        image = open_bitmap(file)
        if image.width * image.height > max_pixels:
            raise too_large(image.width, image.height, max_pixels)
        kind = "JPEG" if image.format == "MPO" else str(image.format)
        if getattr(image, "n_frames", 1) > 1 and kind != "JPEG":
            notes.append(f"the first of {image.n_frames} pictures")  # type: ignore[attr-defined]
        yield image, kind


def read_bitmap(
    file: BinaryIO, *, max_pixels: int, notes: list[str]
) -> tuple[NDArray[np.uint8], str]:
    """Reads the first picture of a file.

    Takes and raises what `opened` does.

    Returns:
        uint8 (H, W, 3), sRGB, upright; and the name of its format.

    Raises:
        PhotoError: It cannot be used.
    """
    with opened(file, max_pixels=max_pixels, notes=notes) as (image, kind):
        picture, orientation = _read(image, kind, file, notes)
    return apply_orientation(
        to_srgb(picture, image.info.get("icc_profile"), notes), orientation
    ), kind
