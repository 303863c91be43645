"""Limits on the number of pixels of an image."""

from collections.abc import Iterator
from contextlib import contextmanager

from PIL import Image

from srmodels.errors import PhotoError

__all__ = ["MAX_PIXELS", "check_size", "no_pillow_limit"]

MAX_PIXELS = 250_000_000


def check_size(width: int, height: int, max_pixels: int) -> None:
    """Raises PhotoError if an image's header announces more than `max_pixels` pixels."""
    if width * height > max_pixels:
        raise PhotoError(f"has too many pixels (got {width}x{height}; max_pixels is {max_pixels})")


@contextmanager
def no_pillow_limit() -> Iterator[None]:
    """Turns Pillow's global limit off, which is lower than a large camera's image."""
    before = Image.MAX_IMAGE_PIXELS
    Image.MAX_IMAGE_PIXELS = None
    try:
        yield
    finally:
        Image.MAX_IMAGE_PIXELS = before
