"""One door for photographs: any file in, upright 8-bit sRGB out, or the reason why not.

What is missing is always noticed, and of PNG every changed byte. The other formats carry no
checksum of their pixels: a changed byte that still decodes gives a slightly or plainly wrong
picture of the right size, which no reader can know.
"""

from dataclasses import dataclass
from functools import partial
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from srmodels.images.limits import MAX_PIXELS
from srmodels.images.readers.dispatch import Readers, read_with
from srmodels.images.readers.heif import read_heif
from srmodels.images.readers.pillow import read_bitmap
from srmodels.images.readers.raw import read_raw

__all__ = ["MAX_PIXELS", "Decoded", "decode", "read"]


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


def read(path: Path, *, half_size: bool = False, max_pixels: int = MAX_PIXELS) -> Decoded:
    """Decodes a photograph and tells what was done to it.

    Args:
        path: The file; its content decides how it is read.
        half_size: Camera RAW at half its size, which skips interpolation.
        max_pixels: Larger pictures are refused on the header's word.

    Raises:
        PhotoError: `NAME: reason`.
    """
    notes: list[str] = []
    readers = Readers(
        bitmap=partial(read_bitmap, max_pixels=max_pixels, notes=notes),
        heif=partial(read_heif, max_pixels=max_pixels, notes=notes),
        raw=partial(read_raw, half_size=half_size, max_pixels=max_pixels),
    )
    pixels, kind = read_with(readers, path, notes)
    # a photograph is handed to torch, which wants memory of its own
    return Decoded(np.require(pixels, requirements=["C", "W", "O"]), kind, tuple(notes))


def decode(
    path: Path, *, half_size: bool = False, max_pixels: int = MAX_PIXELS
) -> NDArray[np.uint8]:
    """Decodes a photograph to uint8 (H, W, 3), sRGB, upright; see `read`."""
    return read(path, half_size=half_size, max_pixels=max_pixels).pixels
