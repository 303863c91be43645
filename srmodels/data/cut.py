"""One photograph to aligned pairs of patches.

The whole photograph is shrunk first, then boxes are chosen on the LR grid and the HR box is
`scale` times the LR one. Cutting HR anywhere and dividing its corner shifts a pair by up to
`scale - 1` pixels, which costs more than a good network gains.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from srmodels.errors import PhotoError
from srmodels.resize import crop_to_multiple, reduce_image

__all__ = ["Cut", "PatchSettings", "boxes", "cut"]


@dataclass(frozen=True, kw_only=True)
class PatchSettings:
    """How photographs become patches.

    Attributes:
        patch_size: Side of an LR patch in LR pixels; training takes random smaller crops of it.
        stride: LR pixels from one patch to the next; less than `patch_size` overlaps.
        shards: Over how many files the training photographs are spread, by their names.
        workers: Processes; 0: one per available core.
        max_skipped: The stage fails when a larger share of the photographs cannot be used.
        max_pixels: Larger photographs are refused before they are decoded.
        min_side: Photographs with a shorter side, in HR pixels, are skipped.
        min_deviation: Patches whose LR green channel deviates less (of 255) are dropped as flat.
        max_per_photo: Only the sharpest so many patches of a photograph are kept; 0: all.
        half_size: Camera RAW at half its size, several times as fast.
    """

    patch_size: int = 64
    stride: int = 64
    shards: int = 16
    workers: int = 0
    max_skipped: float = 0.1
    max_pixels: int = 250_000_000
    min_side: int = 32
    min_deviation: float = 0.0
    max_per_photo: int = 0
    half_size: bool = False

    def __post_init__(self) -> None:
        """Checks the values.

        Raises:
            ValueError: A value is out of its range.
        """
        if self.patch_size < 8:
            raise ValueError("patch_size must be 8 LR pixels or more")
        for name in ("stride", "shards", "max_pixels", "min_side"):
            if getattr(self, name) < 1:
                raise ValueError(f"{name} must be 1 or more")
        for name in ("workers", "min_deviation", "max_per_photo"):
            if getattr(self, name) < 0:
                raise ValueError(f"{name} must be 0 or more")
        if self.stride > self.patch_size:
            raise ValueError("stride must be at most patch_size, or pixels are left out")
        if self.shards > 1000:
            raise ValueError("shards must be at most 1000")
        if not 0 <= self.max_skipped <= 1:
            raise ValueError("max_skipped must be a share from 0 to 1")


@dataclass(frozen=True, slots=True)
class Cut:
    """A photograph's patches.

    Attributes:
        hr: uint8 (N, scale * p, scale * p, 3).
        lr: uint8 (N, p, p, 3).
        boxes: int64 (N, 2), top and left in LR pixels.
        sharpness: float64 (N,), mean step between neighbouring HR pixels, of 255.
        flat: How many patches were dropped as flat.
    """

    hr: NDArray[np.uint8]
    lr: NDArray[np.uint8]
    boxes: NDArray[np.int64]
    sharpness: NDArray[np.float64]
    flat: int


def _starts(length: int, size: int, stride: int) -> list[int]:
    starts = list(range(0, length - size + 1, stride))
    if starts and starts[-1] != length - size:
        starts.append(length - size)
    return starts


def boxes(height: int, width: int, *, size: int, stride: int) -> NDArray[np.int64]:
    """Where patches lie: a regular grid, and a last row and column aligned to the far edges.

    Args:
        height: Of the LR picture, in LR pixels.
        width: The same.
        size: Side of a patch.
        stride: From one patch to the next, at most `size`.

    Returns:
        (N, 2), top and left, row by row; every pixel lies in some box; empty if none fits.
    """
    tops, lefts = _starts(height, size, stride), _starts(width, size, stride)
    grid = [(top, left) for top in tops for left in lefts]
    return np.array(grid, dtype=np.int64).reshape(-1, 2)


def _gather(picture: NDArray[np.uint8], corners: NDArray[np.int64], size: int) -> NDArray[np.uint8]:
    patches = np.empty((len(corners), size, size, 3), np.uint8)
    for patch, (top, left) in zip(patches, corners, strict=True):
        patch[:] = picture[top : top + size, left : left + size]
    return patches


def _sharpness(patch: NDArray[np.uint8], scale: int) -> float:
    """Mean absolute step between neighbours in green, along every `scale`-th row and column."""
    green = patch[:, :, 1].astype(np.int16)
    across = np.abs(np.diff(green[::scale], axis=1)).mean()
    down = np.abs(np.diff(green[:, ::scale], axis=0)).mean()
    return round(float(across + down) / 2, 3)


def cut(hr: NDArray[np.uint8], settings: PatchSettings, scale: int) -> Cut:
    """Cuts a photograph into aligned pairs.

    Args:
        hr: The photograph, uint8 (H, W, 3).
        settings: Sizes and limits.
        scale: HR over LR.

    Raises:
        PhotoError: The photograph is smaller than a patch.
    """
    size = settings.patch_size
    height, width = hr.shape[:2]
    if min(height, width) < size * scale:
        raise PhotoError(
            f"is smaller than a patch (found {width}x{height} pixels; "
            f"{size * scale}x{size * scale} or more is right, or lower patches.patch_size)"
        )
    hr = crop_to_multiple(hr, scale)
    small = reduce_image(hr, scale)
    found = boxes(*small.shape[:2], size=size, stride=settings.stride)
    lr = _gather(small, found, size)
    textured = lr[..., 1].std(axis=(1, 2)) >= settings.min_deviation
    flat = int((~textured).sum())
    found, lr = found[textured], lr[textured]
    patches = _gather(hr, found * scale, size * scale)
    sharpness = np.array([_sharpness(patch, scale) for patch in patches], np.float64)
    if settings.max_per_photo and len(found) > settings.max_per_photo:
        kept = np.sort(np.argsort(-sharpness, kind="stable")[: settings.max_per_photo])
        found, lr, patches, sharpness = found[kept], lr[kept], patches[kept], sharpness[kept]
    return Cut(hr=patches, lr=lr, boxes=found, sharpness=sharpness, flat=flat)
