"""What the page shows of pictures: a window at full resolution, and the whole, reduced.

Of the result a window is cut; of the picture it was made from, the same place is enlarged in the
plain ways. The colours keep their profile, which the browser knows how to use.
"""

import math
from pathlib import Path
from typing import Literal, NamedTuple

import numpy as np
from PIL import Image

from srmodels.demo.types import Picture
from srmodels.images.colour import Pixels
from srmodels.inference.files.resample import resampled

__all__ = ["Box", "box_at", "plainly", "plainly_whole", "reduced", "save", "whole", "window"]

_ROWS = 64
_REACH = 4  # pixels, of the kernels
_WAYS = {"nearest": Image.Resampling.NEAREST, "bicubic": Image.Resampling.BICUBIC}
Way = Literal["nearest", "bicubic"]


class Box(NamedTuple):
    """A part of a picture; bottom and right are outside."""

    top: int
    left: int
    bottom: int
    right: int


def box_at(picture: Picture, across: float, down: float, *, side: int) -> Box:
    """A square window with its middle at a place, moved as far as needed to be inside.

    Args:
        picture: In which it lies.
        across: 0 left to 1 right; what is beyond counts as the edge.
        down: 0 top to 1 bottom.
        side: In pixels; less where the picture has less.
    """
    height, width = min(side, picture.height), min(side, picture.width)
    top = min(max(0, round(down * picture.height - height / 2)), picture.height - height)
    left = min(max(0, round(across * picture.width - width / 2)), picture.width - width)
    return Box(top, left, top + height, left + width)


def _pixels(picture: Picture) -> Pixels:
    found: Pixels = np.load(picture.pixels, mmap_mode="r", allow_pickle=False)
    return found


def _image(pixels: Pixels) -> Image.Image:
    return Image.fromarray(np.ascontiguousarray(pixels[..., 0] if pixels.shape[2] == 1 else pixels))


def window(picture: Picture, box: Box) -> Image.Image:
    """A part of a picture, pixel by pixel."""
    return _image(_pixels(picture)[box.top : box.bottom, box.left : box.right])


def plainly(source: Picture, result: Picture, box: Box, *, way: Way) -> Image.Image:
    """What a window of a result is in another picture, brought to its size without a network."""
    across, down = source.width / result.width, source.height / result.height
    left, top, right, bottom = (
        *(box.left * across, box.top * down),
        *(box.right * across, box.bottom * down),
    )
    margin = _REACH * max(1, math.ceil(down))
    above, below = max(0, int(top) - margin), math.ceil(bottom) + margin
    rows = _image(_pixels(source)[above:below])
    place = (left, top - above, min(right, rows.width), min(bottom - above, rows.height))
    return rows.resize((box.right - box.left, box.bottom - box.top), _WAYS[way], place)


def reduced(picture: Picture, side: int) -> tuple[int, int]:
    """Height and width that fit into a square."""
    share = min(1.0, side / max(picture.height, picture.width))
    return max(1, round(share * picture.height)), max(1, round(share * picture.width))


def whole(picture: Picture, *, side: int) -> Image.Image:
    """All of a picture, reduced until neither side is longer, a few rows at a time."""
    pixels, to = _pixels(picture), reduced(picture, side)
    size = (picture.height, picture.width)
    if to == size:
        return _image(pixels)
    bands = (pixels[top : top + _ROWS] for top in range(0, len(pixels), _ROWS))
    return _image(np.concatenate(list(resampled(bands, size=size, to=to))))


def plainly_whole(source: Picture, result: Picture, *, side: int) -> Image.Image:
    """Another picture, as large as `whole` shows the result."""
    height, width = reduced(result, side)
    image = whole(source, side=side)
    way = _WAYS["nearest" if image.width < width else "bicubic"]
    return image.resize((width, height), way)


def save(image: Image.Image, path: Path, picture: Picture) -> str:
    """Writes a view for the browser, with the profile of the picture it shows; returns the path."""
    image.save(path, compress_level=1, icc_profile=picture.icc)
    return str(path)
