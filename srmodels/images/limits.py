"""How many pixels a picture may have."""

from collections.abc import Iterator
from contextlib import contextmanager

from PIL import Image

from srmodels.errors import PhotoError

__all__ = ["MAX_PIXELS", "no_own_limit", "too_large"]

MAX_PIXELS = 250_000_000


def too_large(width: int, height: int, max_pixels: int) -> PhotoError:
    """The refusal of a picture on its header's word."""
    return PhotoError(f"has too many pixels (found {width}x{height}; max_pixels is {max_pixels})")


@contextmanager
def no_own_limit() -> Iterator[None]:
    """Leaves the limit on pixels to us: Pillow's is global and lower than a large camera's."""
    before = Image.MAX_IMAGE_PIXELS
    Image.MAX_IMAGE_PIXELS = None
    try:
        yield
    finally:
        Image.MAX_IMAGE_PIXELS = before
