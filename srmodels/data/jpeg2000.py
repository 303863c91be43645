"""JPEG 2000 of more than 8 bits a channel, of which Pillow keeps the high ones only."""

import numpy as np
import openjpeg
from numpy.typing import NDArray

from srmodels.data.colour import round_to_8
from srmodels.errors import PhotoError

__all__ = ["deep_jpeg2000_values", "read_deep_jpeg2000"]

_SPACES = {"monochrome": (1,), "sRGB": (3,), "unspecified": (1, 3), "unknown": (1, 3)}


def deep_jpeg2000_values(body: bytes) -> tuple[NDArray[np.uint16], int] | None:
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


def read_deep_jpeg2000(body: bytes) -> NDArray[np.uint8] | None:
    """The same rounded to 8 bits."""
    found = deep_jpeg2000_values(body)
    return None if found is None else round_to_8(*found)
