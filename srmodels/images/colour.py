"""Depth and alpha of decoded images."""

from functools import cache
from typing import TypeVar

import numpy as np
from numpy.typing import NDArray

from srmodels.errors import PhotoError

__all__ = [
    "Pixels",
    "check_alpha",
    "round_to_8",
    "scale_bits",
    "scale_to_16bit",
    "straight_alpha",
]

Value = TypeVar("Value", bound=np.generic)
Pixels = NDArray[np.uint8 | np.uint16]


@cache
def _scale_table(bits: int, dtype: type[Value]) -> NDArray[Value]:
    full, top = (1 << bits) - 1, np.iinfo(dtype).max  # type: ignore[type-var]
    return ((np.minimum(np.arange(1 << 16), full) * top + full // 2) // full).astype(dtype)


def round_to_8(values: NDArray[np.uint16], bits: int = 16) -> NDArray[np.uint8]:
    """Scales 0 .. 2^bits - 1 (1 to 16 bits) to 0 .. 255 and rounds to nearest."""
    return _scale_table(bits, np.uint8)[values]


def scale_to_16bit(values: NDArray[np.uint16], bits: int) -> NDArray[np.uint16]:
    """Scales 0 .. 2^bits - 1 to 0 .. 65535 and rounds to nearest."""
    return values if bits == 16 else _scale_table(bits, np.uint16)[values]


def scale_bits(values: Pixels, bits: int) -> Pixels:
    """Scales 0 .. 2^bits - 1 to all of 8 bits if `bits` is at most 8, else to all of 16."""
    if bits <= 8:
        return values if bits == 8 else _scale_table(bits, np.uint8)[values]
    return scale_to_16bit(values, bits)  # type: ignore[arg-type]


def check_alpha(alpha: Pixels) -> None:
    """Raises PhotoError where alpha is below opaque, as the colour there is unknown."""
    lowest, opaque = int(alpha.min()), np.iinfo(alpha.dtype).max
    if lowest < opaque:
        raise PhotoError(
            f"is partly transparent (got alpha down to {lowest} of {opaque}). Flatten it first"
        )


def straight_alpha(colour: Pixels, alpha: Pixels) -> Pixels:
    """Divides colour (H, W, C), premultiplied, by alpha (H, W); clear pixels stay black."""
    top = int(np.iinfo(colour.dtype).max)
    divisor = np.maximum(alpha, 1).astype(np.uint32)[..., None]
    values = (colour.astype(np.uint64) * top + divisor // 2) // divisor
    return np.asarray(np.minimum(values, top), colour.dtype)
