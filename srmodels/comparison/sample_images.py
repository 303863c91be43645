"""Every model's SR of the same few test pictures, and how fast it was made.

Where to look: the windows in which the models' pictures differ most, the same for all.
"""

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Protocol

import numpy as np

from srmodels.errors import DataError, PhotoError
from srmodels.evaluation.luma import Picture
from srmodels.evaluation.pictures import box_sums
from srmodels.images.readers.decode import decode
from srmodels.images.readers.folder import photo_files
from srmodels.resize.images import crop_to_multiple, downscale
from srmodels.resize.tensors import enlarge_image

__all__ = ["Enlarging", "Scene", "View", "differing", "make_scenes"]

Enlarger = Callable[[Picture], Picture]

_LARGEST = 640  # pixels a side; of a larger picture the middle is shown


class Enlarging(Protocol):
    """A generator: `srmodels.inference` has one."""

    @property
    def scale(self) -> int:
        """How many times larger SR is."""
        ...

    def __call__(self, lr: Picture, /) -> Picture:
        """Enlarges uint8 (H, W, 3)."""
        ...


@dataclass(frozen=True, kw_only=True)
class View:
    """What is shown of the test pictures.

    Attributes:
        folder: Of HR pictures.
        pictures: How many of them, the first by name.
        crops: Windows of each that are enlarged.
        size: Side of a window in HR pixels.
    """

    folder: Path
    pictures: int
    crops: int
    size: int = 64


@dataclass(frozen=True, kw_only=True)
class Scene:
    """One test picture.

    Attributes:
        name: Of its file.
        hr: uint8 (H, W, 3).
        pictures: Bicubic's SR, then every model's; uint8 (H, W, 3) each.
        corners: Top and left of the windows.
        size: Side of a window in pixels.
    """

    name: str
    hr: Picture
    pictures: list[Picture]
    corners: list[tuple[int, int]]
    size: int


def _middle(hr: Picture, scale: int) -> Picture:
    height, width = hr.shape[:2]
    top, left = (max(0, length - _LARGEST) // 2 for length in (height, width))
    return crop_to_multiple(hr[top : top + _LARGEST, left : left + _LARGEST], scale)


def _pictures(view: View) -> list[tuple[str, Picture]]:
    paths = photo_files(view.folder)[: view.pictures] if view.folder.is_dir() else []
    if not paths:
        raise DataError(
            f"{view.folder}: no test picture there; `dvc repro patches` writes them, --data names "
            "another folder"
        )
    return [(path.stem, decode(path)) for path in paths]


def _scene(
    name: str, hr: Picture, enlargers: Sequence[Enlarger], *, view: View, scale: int
) -> Scene:
    """One picture by bicubic and by every model."""
    height, width = hr.shape[:2]
    if min(height, width) < view.size:
        raise PhotoError(
            f"{name}: too small to show (found {width} x {height} pixels); "
            f"{view.size} a side is right"
        )
    lr = downscale(hr, scale)
    made = [enlarge_image(lr, scale), *(enlarge(lr) for enlarge in enlargers)]
    # bicubic differs from every model; it only decides where there is no other to differ from
    rivals = made if len(made) == 2 else made[1:]
    corners = differing(rivals, size=view.size, count=view.crops)
    return Scene(name=name, hr=hr, pictures=made, corners=corners, size=view.size)


def make_scenes(
    models: Sequence[Enlarging], view: View, *, clock: Callable[[], float] = time.perf_counter
) -> tuple[list[Scene], list[float]]:
    """Lets every model enlarge the test pictures.

    Args:
        models: All of one scale; at least one.
        view: What is shown.
        clock: In seconds.

    Returns:
        A scene per picture; and for each model how many SR megapixels a second it made.

    Raises:
        DataError: There is no test picture.
        PhotoError: One cannot be decoded, or is smaller than a window.
    """
    scale = models[0].scale
    seconds = [0.0] * len(models)

    def timed(index: int, lr: Picture) -> Picture:
        started = clock()
        sr = models[index](lr)
        seconds[index] += clock() - started
        return sr

    enlargers = [partial(timed, index) for index in range(len(models))]
    scenes = [
        _scene(name, _middle(whole, scale), enlargers, view=view, scale=scale)
        for name, whole in _pictures(view)
    ]
    pixels = sum(scene.hr.shape[0] * scene.hr.shape[1] for scene in scenes)
    return scenes, [pixels / 1e6 / max(spent, 1e-9) for spent in seconds]


def differing(pictures: Sequence[Picture], *, size: int, count: int) -> list[tuple[int, int]]:
    """Corners of windows, the one with the largest variance over the pictures first.

    A window's worth is the sum over it, which smooths as well; each further window is the best of
    those that do not overlap the ones before.

    Args:
        pictures: SR of one picture by several models, uint8 (H, W, 3) each.
        size: Side of a window in pixels; at most the picture's smaller side.
        count: How many; fewer where no more fit.

    Returns:
        Top and left of each.
    """
    total = np.zeros(pictures[0].shape)
    squares = np.zeros_like(total)
    for each in pictures:
        values = each.astype(np.float64)
        total += values
        squares += values**2
    variance = squares / len(pictures) - (total / len(pictures)) ** 2
    worth = box_sums(variance.sum(axis=2), size)
    corners: list[tuple[int, int]] = []
    while len(corners) < count and np.isfinite(worth).any():
        top, left = divmod(int(worth.argmax()), worth.shape[1])
        corners.append((top, left))
        rows, columns = (slice(max(0, at - size + 1), at + size) for at in (top, left))
        worth[rows, columns] = -np.inf
    return corners
