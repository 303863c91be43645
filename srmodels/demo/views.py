"""Crops and reduced images for the page, made from the pixels of decoded images."""

import math

import numpy as np
from PIL import Image

from srmodels.demo.types import DecodedImage
from srmodels.images.colour import Pixels
from srmodels.inference.files.resample import resample_rows
from srmodels.inference.tiling.box import Box

__all__ = ["crop", "crop_box", "fit_size", "reduce_image", "reduce_to_match", "resized_crop"]

_CHUNK = 64  # rows reduced at once
_MARGIN = 4  # pixels that Pillow's kernels reach


def crop_box(image: DecodedImage, x: float, y: float, *, side: int) -> Box:
    """A square around (x, y), both in [0, 1], moved inside the image and no larger than it."""
    height, width = min(side, image.height), min(side, image.width)
    top = min(max(0, round(y * image.height - height / 2)), image.height - height)
    left = min(max(0, round(x * image.width - width / 2)), image.width - width)
    return Box(top, left, top + height, left + width)


def _load(image: DecodedImage) -> Pixels:
    pixels: Pixels = np.load(image.pixels, mmap_mode="r", allow_pickle=False)
    return pixels


def _to_pillow(pixels: Pixels) -> Image.Image:
    return Image.fromarray(np.ascontiguousarray(pixels[..., 0] if pixels.shape[2] == 1 else pixels))


def crop(image: DecodedImage, box: Box) -> Image.Image:
    """A part of an image, pixel by pixel."""
    return _to_pillow(_load(image)[box.top : box.bottom, box.left : box.right])


def resized_crop(
    source: DecodedImage, result: DecodedImage, box: Box, *, method: Image.Resampling
) -> Image.Image:
    """The part of `source` that a box of `result` shows, resized to the box."""
    scale_x, scale_y = source.width / result.width, source.height / result.height
    left, right = box.left * scale_x, box.right * scale_x
    top, bottom = box.top * scale_y, box.bottom * scale_y
    margin = _MARGIN * max(1, math.ceil(scale_y))
    first = max(0, int(top) - margin)
    rows = _to_pillow(_load(source)[first : math.ceil(bottom) + margin])
    part = (left, top - first, min(right, rows.width), min(bottom - first, rows.height))
    return rows.resize((box.right - box.left, box.bottom - box.top), method, part)


def fit_size(image: DecodedImage, side: int) -> tuple[int, int]:
    """Height and width of an image reduced to fit into a square."""
    scale = min(1.0, side / max(image.height, image.width))
    return max(1, round(scale * image.height)), max(1, round(scale * image.width))


def reduce_image(image: DecodedImage, *, side: int) -> Image.Image:
    """The full image, reduced until neither side is longer; reads a few rows at a time."""
    pixels, size = _load(image), (image.height, image.width)
    target = fit_size(image, side)
    if target == size:
        return _to_pillow(pixels)
    chunks = (pixels[top : top + _CHUNK] for top in range(0, len(pixels), _CHUNK))
    return _to_pillow(np.concatenate(list(resample_rows(chunks, size=size, to=target))))


def reduce_to_match(source: DecodedImage, result: DecodedImage, *, side: int) -> Image.Image:
    """The full `source`, at the size of `reduce_image(result)`."""
    height, width = fit_size(result, side)
    image = reduce_image(source, side=side)
    enlarges = image.width < width
    method = Image.Resampling.NEAREST if enlarges else Image.Resampling.BICUBIC
    return image.resize((width, height), method)
