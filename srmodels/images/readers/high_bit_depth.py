"""16-bit colour and grey out of Pillow, as they are or rounded to 8 bits.

Pillow keeps only the high byte of 16-bit RGB. Its unpackers for the two byte orders each take the
high byte of *their* order, so a second pass with the other order yields the low bytes exactly.

JPEG 2000 of more than 8 bits a channel, of which Pillow keeps the high ones only.
"""

import sys
from collections.abc import Callable
from typing import BinaryIO

import numpy as np
import openjpeg
import tifffile
from numpy.typing import NDArray
from PIL import ExifTags, Image, ImageFile

from srmodels.errors import PhotoError
from srmodels.images.colour import apply_orientation, round_to_8

__all__ = [
    "is_inverted",
    "load_16bit",
    "load_16bit_grey",
    "load_16bit_jpeg2000",
    "read_16bit_colour",
    "read_16bit_grey",
    "read_16bit_jpeg2000",
]

_BITS, _PHOTOMETRIC, _PLANAR = 258, 262, 284  # TIFF 6.0

_OTHER = "B" if sys.byteorder == "little" else "L"

_SWAPPED = {"B": "L", "L": "B", "N": _OTHER}


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


def _planes(file: BinaryIO, orientation: int) -> NDArray[np.uint16]:
    """16-bit TIFF with a plane per colour, which Pillow reads as if it had 8 bits; upright."""
    file.seek(0)
    with tifffile.TiffFile(file) as tiff:
        planes: NDArray[np.uint16] = tiff.pages[0].asarray()
    return np.ascontiguousarray(apply_orientation(np.moveaxis(planes, 0, -1), orientation))


def load_16bit(
    image: ImageFile.ImageFile, file: BinaryIO, again: Callable[[], ImageFile.ImageFile]
) -> NDArray[np.uint16] | None:
    """16-bit colour, or grey with alpha; None where the picture holds none.

    Args:
        image: Opened and not loaded.
        file: Whence it comes.
        again: Opens it a second time.

    Returns:
        (H, W, 2), grey and alpha; or (H, W, C) as the image's mode says. A TIFF's are upright.
    """
    raw_mode = _raw_mode(image)
    tags = getattr(image, "tag_v2", {})
    deep = max(tags.get(_BITS, (8,))) == 16
    if deep and tags.get(_PLANAR) == 2 and len(image.getbands()) > 1:
        return _planes(file, tags.get(ExifTags.Base.Orientation, 1))
    if raw_mode == "LA;16B":  # as many bytes as RGBA: grey high, grey low, alpha high, alpha low
        return _load(image, "RGBA").view(">u2").astype(np.uint16)
    name, _, order = raw_mode.partition(";16")
    if order not in _SWAPPED or not name.startswith(("RGB", "CMYK")):
        return None
    low = _load(again(), f"{name};16{_SWAPPED[order]}").astype(np.uint16)
    high = np.asarray(image).astype(np.uint16)
    return (high << 8 | low).astype(np.uint16, copy=False)


def read_16bit_colour(
    image: ImageFile.ImageFile, file: BinaryIO, again: Callable[[], ImageFile.ImageFile]
) -> Image.Image | None:
    """What `load_16bit` reads, rounded to 8 bits.

    Raises:
        PhotoError: A colour is marked as clear, and occurs.
    """
    values = load_16bit(image, file, again)
    if values is None:
        return None
    clear = image.info.get("transparency")
    if clear is not None and (values[..., :3] == clear).all(axis=-1).any():
        raise PhotoError("is partly transparent (a colour is marked as clear); flatten it first")
    mode = "LA" if values.shape[2] == 2 else image.mode
    pixels = round_to_8(values).tobytes()
    return Image.frombytes(mode, (values.shape[1], values.shape[0]), pixels)


def load_16bit_grey(image: Image.Image) -> tuple[NDArray[np.uint16], int]:
    """Grey of more than 8 bits, 0 as the file has it: (H, W), and how many bits are used.

    Raises:
        PhotoError: It has values that 16 bits do not hold.
    """
    tags = getattr(image, "tag_v2", {})
    values = np.asarray(image)
    if values.min() < 0 or values.max() > 65535:
        raise PhotoError(f"has values beyond 16 bits (up to {values.max()}); export 8 or 16 bits")
    return values.astype(np.uint16), min(int(max(tags.get(_BITS, (16,)))), 16)


def is_inverted(image: Image.Image) -> bool:
    """Whether 0 is white."""
    return bool(getattr(image, "tag_v2", {}).get(_PHOTOMETRIC) == 0)


def read_16bit_grey(image: Image.Image) -> Image.Image:
    """Grey of more than 8 bits rounded to 8.

    Raises:
        PhotoError: It has values that 16 bits do not hold, or a grey that is marked as clear.
    """
    values, bits = load_16bit_grey(image)
    if (values == image.info.get("transparency", -1)).any():
        raise PhotoError("is partly transparent (a grey is marked as clear); flatten it first")
    grey = round_to_8(values, bits)
    return Image.fromarray(255 - grey if is_inverted(image) else grey)


_SPACES = {"monochrome": (1,), "sRGB": (3,), "unspecified": (1, 3), "unknown": (1, 3)}


def load_16bit_jpeg2000(body: bytes) -> tuple[NDArray[np.uint16], int] | None:
    """Decodes colour or grey of 9 to 16 bits; None where 8 bits are all, which Pillow reads.

    Args:
        body: The whole file.

    Returns:
        (H, W) or (H, W, 3), and how many bits are used.

    Raises:
        PhotoError: Its values are of a kind that is not read.
        RuntimeError: It is damaged.
    """
    found = openjpeg.get_parameters(body)
    bits, space = found["precision"], found["colourspace"]
    if bits <= 8:
        return None
    channels = found["samples_per_pixel"]
    if channels not in _SPACES.get(space, ()) or bits > 16 or found["is_signed"]:
        raise PhotoError(
            f"is JPEG 2000 of a kind that is not read (found {channels} channels of {bits} bits, "
            f"{space}); export grey or RGB of 8 or 16 bits"
        )
    return openjpeg.decode(body), bits


def read_16bit_jpeg2000(body: bytes) -> NDArray[np.uint8] | None:
    """The same rounded to 8 bits."""
    found = load_16bit_jpeg2000(body)
    return None if found is None else round_to_8(*found)
