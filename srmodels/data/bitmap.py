"""Everything Pillow reads, with what Pillow alone would lose: 16-bit colour, damage, transparency.

Pillow keeps only the high byte of 16-bit RGB. Its unpackers for the two byte orders each take the
high byte of *their* order, so a second pass with the other order yields the low bytes exactly.
"""

import io
import sys
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from typing import BinaryIO

import numpy as np
import tifffile
from numpy.typing import NDArray
from PIL import ExifTags, Image, ImageFile, UnidentifiedImageError

from srmodels.data.colour import opaque, orient, round_to_8, to_srgb
from srmodels.errors import PhotoError

__all__ = ["NotABitmapError", "read_bitmap"]

# No formats that run programs (EPS), and none without a signature (TGA).
_FORMATS = ("AVIF", "BMP", "GIF", "JPEG", "JPEG2000", "PNG", "PPM", "TIFF", "WEBP")
_BITS, _PHOTOMETRIC, _PLANAR, _DNG = 258, 262, 284, 50706
_RAW_PHOTOMETRIC = (32803, 34892)  # colour filter array, linear raw (DNG 1.7, table 1)
_NATIVE, _OTHER = ("L", "B") if sys.byteorder == "little" else ("B", "L")
_SWAPPED = {"B": "L", "L": "B", "N": _OTHER}


class NotABitmapError(Exception):
    """The file is none of the kinds Pillow reads; a TIFF with raw sensor values is none either."""


@contextmanager
def _no_own_limit() -> Iterator[None]:
    """Leaves the limit on pixels to us: Pillow's is global and lower than a large camera's."""
    before = Image.MAX_IMAGE_PIXELS
    Image.MAX_IMAGE_PIXELS = None
    try:
        yield
    finally:
        Image.MAX_IMAGE_PIXELS = before


def _open(file: BinaryIO) -> ImageFile.ImageFile:
    file.seek(0)
    try:
        image = Image.open(file, formats=_FORMATS)
    except UnidentifiedImageError:
        raise NotABitmapError from None
    tags = getattr(image, "tag_v2", {})
    if image.format == "TIFF" and (_DNG in tags or tags.get(_PHOTOMETRIC) in _RAW_PHOTOMETRIC):
        raise NotABitmapError
    return image


def _check_png(file: BinaryIO) -> None:
    """Compares every chunk's checksum: Pillow looks at the headers' only."""
    file.seek(8)
    while head := file.read(8):
        length, kind = int.from_bytes(head[:4], "big"), head[4:]
        data, stored = file.read(length), file.read(4)
        if len(data) < length or len(stored) < 4:
            raise PhotoError(f"is cut off inside its chunk {kind.decode('latin-1')}")
        if zlib.crc32(data, zlib.crc32(kind)) != int.from_bytes(stored, "big"):
            raise PhotoError(f"is damaged: the checksum of its chunk {kind.decode('latin-1')}")
        if kind == b"IEND":
            return
    raise PhotoError("is cut off: it has no end")


def _check_jpeg(file: BinaryIO, image: Image.Image) -> None:
    """Tells a grey corner from the grey with which libjpeg silently replaces missing data.

    More data before the end marker changes nothing in a picture that is complete.
    """
    pixels = np.asarray(image)
    if image.mode == "CMYK" or "progressive" in image.info or (pixels[-8:, -8:] != 128).any():
        return
    file.seek(0)
    body = file.read()
    end = body.rfind(b"\xff\xd9")
    longer = io.BytesIO(body[:end] + bytes(range(1, 200)) + body[end:])
    if (np.asarray(Image.open(longer, formats=("JPEG",))) != pixels).any():
        raise PhotoError("is damaged: its lower part is missing")


def _raw_mode(image: ImageFile.ImageFile) -> str:
    args = image.tile[0].args if image.tile else ""
    return str(args[0] if isinstance(args, tuple) and args else args)


def _load(image: ImageFile.ImageFile, raw_mode: str) -> NDArray[np.uint8]:
    """Decodes with another raw mode than the one Pillow chose."""
    image.tile = [
        tile._replace(args=(raw_mode, *tile.args[1:]) if isinstance(tile.args, tuple) else raw_mode)
        for tile in image.tile
    ]
    return np.asarray(image)


def _deep_colour(image: ImageFile.ImageFile, file: BinaryIO) -> Image.Image | None:
    """16-bit colour rounded to 8; None where the picture holds none."""
    raw_mode = _raw_mode(image)
    tags = getattr(image, "tag_v2", {})
    deep = max(tags.get(_BITS, (8,))) == 16
    if deep and tags.get(_PLANAR) == 2 and len(image.getbands()) > 1:
        return _deep_planes(file, tags.get(ExifTags.Base.Orientation, 1))
    if raw_mode == "LA;16B":  # as many bytes as RGBA: grey high, grey low, alpha high, alpha low
        pairs = _load(image, "RGBA").view(">u2")
        return Image.fromarray(round_to_8(pairs.astype(np.uint16)))
    name, _, order = raw_mode.partition(";16")
    if order not in _SWAPPED or not name.startswith(("RGB", "CMYK")):
        return None
    low = _load(_open(file), f"{name};16{_SWAPPED[order]}").astype(np.uint16)
    high = np.asarray(image).astype(np.uint16)
    values = (high << 8 | low).astype(np.uint16, copy=False)
    clear = image.info.get("transparency")
    if clear is not None and (values[..., :3] == clear).all(axis=-1).any():
        raise PhotoError("is partly transparent (a colour is marked as clear); flatten it first")
    return Image.frombytes(image.mode, image.size, round_to_8(values).tobytes())


def _deep_planes(file: BinaryIO, orientation: int) -> Image.Image:
    """16-bit TIFF with a plane per colour, which Pillow reads as if it had 8 bits."""
    file.seek(0)
    with tifffile.TiffFile(file) as tiff:
        planes = tiff.pages[0].asarray()
    pixels = orient(round_to_8(np.moveaxis(planes, 0, -1)), orientation)
    return Image.fromarray(np.ascontiguousarray(pixels))


def _deep_grey(image: Image.Image) -> Image.Image:
    """Grey of more than 8 bits rounded to 8."""
    tags = getattr(image, "tag_v2", {})
    bits = int(max(tags.get(_BITS, (16,))))
    values = np.asarray(image)
    if values.min() < 0 or values.max() > 65535:
        raise PhotoError(f"has values beyond 16 bits (up to {values.max()}); export 8 or 16 bits")
    if values.max() == image.info.get("transparency"):
        raise PhotoError("is partly transparent (a grey is marked as clear); flatten it first")
    grey = round_to_8(values.astype(np.uint16), min(bits, 16))
    return Image.fromarray(255 - grey if tags.get(_PHOTOMETRIC) == 0 else grey)


def read_bitmap(
    file: BinaryIO, *, max_pixels: int, notes: list[str]
) -> tuple[NDArray[np.uint8], str]:
    """Reads the first picture of a file.

    Args:
        file: Opened for reading, with a position.
        max_pixels: More than this is refused on the header's word, before anything is decoded.
        notes: Gets sentences for the manifest.

    Returns:
        uint8 (H, W, 3), sRGB, upright; and the name of its format.

    Raises:
        NotABitmapError: Another reader may know the file.
        PhotoError: It cannot be used.
    """
    with _no_own_limit():
        image = _open(file)
        if image.width * image.height > max_pixels:
            raise PhotoError(
                f"has too many pixels (found {image.width}x{image.height}; "
                f"patches.max_pixels is {max_pixels})"
            )
        kind = "JPEG" if image.format == "MPO" else str(image.format)
        if getattr(image, "n_frames", 1) > 1 and kind != "JPEG":
            notes.append(f"the first of {image.n_frames} pictures")  # type: ignore[attr-defined]
        if kind == "PNG":
            _check_png(file)
        plain = _deep_colour(image, file)
        image.load()
        if kind == "JPEG":
            _check_jpeg(file, image)
    if image.mode == "F":
        raise PhotoError("has floating-point values; export 8 or 16 bits")
    if plain is None:
        plain = _deep_grey(image) if image.mode.startswith("I") else image
    icc = image.info.get("icc_profile")
    pixels = to_srgb(opaque(plain), icc, notes)
    # after loading: Pillow turns a TIFF itself and then forgets its orientation
    return orient(pixels, image.getexif().get(ExifTags.Base.Orientation, 1)), kind
