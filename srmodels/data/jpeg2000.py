"""JPEG 2000 of more than 8 bits a channel, of which Pillow keeps the high ones only."""

import numpy as np
import openjpeg
from numpy.typing import NDArray

from srmodels.data.colour import round_to_8
from srmodels.errors import PhotoError

__all__ = ["read_deep_jpeg2000"]

_SPACES = {"monochrome": (1,), "sRGB": (3,), "unspecified": (1, 3), "unknown": (1, 3)}


def read_deep_jpeg2000(body: bytes) -> NDArray[np.uint8] | None:
    """Decodes colour or grey of 9 to 16 bits; None where 8 bits are all, which Pillow reads.

    Args:
        body: The whole file.

    Returns:
        uint8 (H, W) or (H, W, 3), rounded.

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
    return round_to_8(openjpeg.decode(body), bits)
