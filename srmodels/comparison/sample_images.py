"""SR of the same test images by several generators, and the crops in which they differ most."""

import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

import numpy as np

from srmodels.errors import DataError, PhotoError
from srmodels.evaluation.metrics.luma import Picture
from srmodels.evaluation.pictures import box_sums
from srmodels.images.readers.decode import decode
from srmodels.images.readers.folder import photo_files
from srmodels.resize.images import crop_to_multiple, downscale
from srmodels.resize.tensors import enlarge_image

_MAX_SIDE = 640  # pixels; a larger image is cropped to its center


class Generator(Protocol):
    """What `srmodels.inference` loads."""

    @property
    def scale(self) -> int:
        """SR's side over LR's."""

    def __call__(self, lr: Picture, /) -> Picture:
        """Upscales uint8 (H, W, 3)."""


@dataclass(frozen=True, kw_only=True)
class ImageOptions:
    """Which images the report shows."""

    folder: Path  # HR images
    pictures: int  # how many of them; the first by name
    crops: int  # enlarged crops per image
    size: int = 64  # side of a crop in HR pixels


@dataclass(frozen=True, kw_only=True)
class SampleImage:
    """One test image."""

    name: str  # file name without suffix
    hr: Picture  # uint8 (H, W, 3)
    sr: list[Picture]  # of bicubic, then of every generator; uint8 (H, W, 3) each
    corners: list[tuple[int, int]]  # top and left of the crops
    size: int  # side of a crop in pixels


def _read_hr(options: ImageOptions, scale: int) -> list[tuple[str, Picture]]:
    """Names and images, cropped to at most `_MAX_SIDE` around the center."""
    paths = photo_files(options.folder) if options.folder.is_dir() else []
    if not paths:
        raise DataError(
            f"{options.folder}: no test picture there. Run `dvc repro patches`, or name another "
            "folder with --data."
        )
    images = []
    for path in paths[: options.pictures]:
        image = decode(path)
        top, left = (max(0, length - _MAX_SIDE) // 2 for length in image.shape[:2])
        hr = crop_to_multiple(image[top : top + _MAX_SIDE, left : left + _MAX_SIDE], scale)
        height, width = hr.shape[:2]
        if min(height, width) < options.size:
            raise PhotoError(
                f"{path.stem}: too small to show (got {width} x {height} pixels). Use images of at "
                f"least {options.size} pixels a side."
            )
        images.append((path.stem, hr))
    return images


def upscale_images(
    generators: Sequence[Generator], options: ImageOptions
) -> tuple[list[SampleImage], list[float]]:
    """SR of the test images by generators of one scale, and their SR megapixels per second."""
    scale = generators[0].scale
    seconds = [0.0] * len(generators)
    images = []
    for name, hr in _read_hr(options, scale):
        lr = downscale(hr, scale)
        sr = [enlarge_image(lr, scale)]
        for index, generator in enumerate(generators):
            started = time.perf_counter()
            sr.append(generator(lr))
            seconds[index] += time.perf_counter() - started
        # a single generator is compared with bicubic, several with each other
        compared = sr if len(generators) == 1 else sr[1:]
        corners = most_different_crops(compared, size=options.size, count=options.crops)
        images.append(SampleImage(name=name, hr=hr, sr=sr, corners=corners, size=options.size))
    pixels = sum(image.hr.shape[0] * image.hr.shape[1] for image in images)
    return images, [pixels / 1e6 / max(spent, 1e-9) for spent in seconds]


def most_different_crops(
    pictures: Sequence[Picture], *, size: int, count: int
) -> list[tuple[int, int]]:
    """Top and left of up to `count` crops with the most variance over uint8 pictures (H, W, 3)."""
    variance = np.var(pictures, axis=0, dtype=np.float64)
    sums = box_sums(variance.sum(axis=2), size)
    corners: list[tuple[int, int]] = []
    while len(corners) < count and np.isfinite(sums).any():
        top, left = divmod(int(sums.argmax()), sums.shape[1])
        corners.append((top, left))
        rows, columns = (slice(max(0, at - size + 1), at + size) for at in (top, left))
        sums[rows, columns] = -np.inf
    return corners
