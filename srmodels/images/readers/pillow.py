"""The formats of Pillow, opened through imageio; stricter decoders take JPEG, PNG and 16 bits."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import BinaryIO

import numpy as np
from imageio.core.request import Request
from imageio.plugins.pillow import PillowPlugin
from imageio.v3 import imopen
from numpy.typing import NDArray
from PIL import ExifTags, Image, ImageFile, UnidentifiedImageError

from srmodels.errors import PhotoError
from srmodels.images.colour import drop_opaque_alpha, round_to_8, to_srgb
from srmodels.images.limits import check_size, no_pillow_limit
from srmodels.images.orientation import apply_orientation
from srmodels.images.readers.high_bit_depth import load_high_bit_depth
from srmodels.images.readers.jpeg import NotCheckableError, read_jpeg
from srmodels.images.readers.png import check_png, check_rows, decode_png, orientation_of_png

__all__ = ["NotABitmapError", "load_jpeg", "open_bitmap", "opened", "orientation_of", "read_bitmap"]

# None that runs programs (EPS), none without a signature (TGA).
_FORMATS = ("AVIF", "BMP", "GIF", "JPEG", "JPEG2000", "PNG", "PPM", "TIFF", "WEBP")
_PHOTOMETRIC, _DNG = 262, 50706
_RAW_PHOTOMETRIC = (32803, 34892)  # colour filter array, linear raw (DNG 1.7, table 1)


class NotABitmapError(Exception):
    """The file has none of these formats, or is a TIFF of raw sensor values."""


class _PillowReader(PillowPlugin):  # type: ignore[misc]
    """imageio's "pillow" plugin, limited to `_FORMATS`; the image is decoded below, without `read`.

    `read` keeps 8 of 16 bits, and fails on damaged EXIF, which is noted here.
    """

    def __init__(self, request: Request) -> None:
        self._request = request
        self._image = Image.open(request.get_file(), formats=_FORMATS)

    @property
    def image(self) -> ImageFile.ImageFile:
        """The image, not yet loaded."""
        return self._image

    def close(self) -> None:
        """Leaves the image and the caller's file open."""
        self._request.finish()


def open_bitmap(file: BinaryIO) -> ImageFile.ImageFile:
    """Opens the first image of a file, of any size; raises NotABitmapError."""
    file.seek(0)
    try:
        image = imopen(file, "r", plugin=_PillowReader).image
    except OSError as error:  # imageio puts its own error around Pillow's
        if isinstance(error.__cause__, UnidentifiedImageError):
            raise NotABitmapError from None
        raise error.__cause__ or error from None
    tags = getattr(image, "tag_v2", {})
    if image.format == "TIFF" and (_DNG in tags or tags.get(_PHOTOMETRIC) in _RAW_PHOTOMETRIC):
        raise NotABitmapError
    return image


@contextmanager
def opened(
    file: BinaryIO, *, max_pixels: int, notes: list[str]
) -> Iterator[tuple[ImageFile.ImageFile, str]]:
    """Opens the first image of a file, to be decoded within the context.

    Yields the image, not yet loaded, and the name of its format. Raises NotABitmapError, and
    PhotoError if the header announces more than `max_pixels`. `notes` is for the manifest.
    """
    with no_pillow_limit():
        image = open_bitmap(file)
        check_size(image.width, image.height, max_pixels)
        kind = "JPEG" if image.format == "MPO" else str(image.format)
        if getattr(image, "n_frames", 1) > 1 and kind != "JPEG":
            notes.append(f"the first of {image.n_frames} pictures")  # type: ignore[attr-defined]
        yield image, kind


def orientation_of(image: Image.Image) -> int:
    """EXIF orientation, 1 to 8. Load a TIFF first: Pillow turns it and then removes the tag."""
    return int(image.getexif().get(ExifTags.Base.Orientation, 1))


def _load(image: ImageFile.ImageFile, kind: str, file: BinaryIO) -> Image.Image:
    """Decodes by Pillow to 8 bits without alpha."""
    values_and_bits = load_high_bit_depth(image, kind, file, open_bitmap)
    if values_and_bits is None:
        return drop_opaque_alpha(image)
    values, bits = values_and_bits
    clear = image.info.get("transparency")
    if clear is not None and (np.atleast_3d(values)[..., :3] == clear).all(axis=-1).any():
        raise PhotoError(
            "is partly transparent (got a colour that is marked as clear). Flatten it first"
        )
    mode = "L" if values.ndim == 2 else "LA" if values.shape[2] == 2 else image.mode
    pixels = round_to_8(values, bits).tobytes()
    return drop_opaque_alpha(Image.frombytes(mode, (values.shape[1], values.shape[0]), pixels))


def load_jpeg(
    image: ImageFile.ImageFile, file: BinaryIO, notes: list[str]
) -> Image.Image | NDArray[np.uint8]:
    """Decodes the first image of a JPEG: an array, or an image of mode CMYK."""
    file.seek(0)
    try:
        pixels = read_jpeg(file.read(), image.mode, notes)
    except NotCheckableError:
        notes.append("is a JPEG of an unusual build, which was not checked for damage")
        return _load(image, "JPEG", file)
    if image.mode == "CMYK":
        return Image.frombytes("CMYK", image.size, (255 - pixels).tobytes())
    return pixels


def _decode(
    image: ImageFile.ImageFile, kind: str, file: BinaryIO, notes: list[str]
) -> tuple[Image.Image | NDArray[np.uint8], int]:
    """The image in 8 bits without alpha, and its orientation."""
    if kind == "JPEG":
        return load_jpeg(image, file, notes), orientation_of(image)
    if kind == "PNG":
        file.seek(0)
        body = file.read()
        check_png(body)
        pixels = decode_png(body, image)
        if pixels is not None:
            return pixels, orientation_of_png(body, image)
        check_rows(body)
    decoded = _load(image, kind, file)
    return decoded, orientation_of(image)


def read_bitmap(
    file: BinaryIO, *, max_pixels: int, notes: list[str]
) -> tuple[NDArray[np.uint8], str]:
    """Reads the first image as uint8 (H, W, 3), sRGB, upright, with its format; see `opened`."""
    with opened(file, max_pixels=max_pixels, notes=notes) as (image, kind):
        decoded, orientation = _decode(image, kind, file, notes)
    rgb = to_srgb(decoded, image.info.get("icc_profile"), notes)
    return apply_orientation(rgb, orientation), kind
