"""One photograph to aligned pairs of patches.

Boxes lie on the LR grid of the reduced photograph; the HR box is `scale` times the LR one. HR boxes
off that grid would shift a pair by up to `scale - 1` pixels.
"""

import numpy as np
from numpy.typing import NDArray

from srmodels.data.patches.settings import PatchSettings
from srmodels.data.patches.sharpness import sharpness
from srmodels.data.store.index import PhotoPatches
from srmodels.errors import PhotoError
from srmodels.resize.images import crop_to_multiple, downscale


def _starts(length: int, size: int, stride: int) -> list[int]:
    starts = list(range(0, length - size + 1, stride))
    if starts and starts[-1] != length - size:
        starts.append(length - size)
    return starts


def boxes(height: int, width: int, *, size: int, stride: int) -> NDArray[np.int64]:
    """(N, 2), top and left of patches on a grid that covers LR (height, width) to its edges."""
    tops, lefts = _starts(height, size, stride), _starts(width, size, stride)
    grid = [(top, left) for top in tops for left in lefts]
    return np.array(grid, dtype=np.int64).reshape(-1, 2)


def _gather(picture: NDArray[np.uint8], corners: NDArray[np.int64], size: int) -> NDArray[np.uint8]:
    patches = np.empty((len(corners), size, size, 3), np.uint8)
    for patch, (top, left) in zip(patches, corners, strict=True):
        patch[:] = picture[top : top + size, left : left + size]
    return patches


def cut(
    hr: NDArray[np.uint8],
    settings: PatchSettings,
    scale: int,
    *,
    lr: NDArray[np.uint8] | None = None,
) -> PhotoPatches:
    """Cuts a photograph, uint8 (H, W, 3), into aligned pairs.

    LR is the given picture `lr`, uint8 (H // scale, W // scale, 3), or the reduced HR. A
    PhotoError if the photograph is smaller than a patch.
    """
    size = settings.patch_size
    height, width = hr.shape[:2]
    if min(height, width) < size * scale:
        raise PhotoError(
            f"is smaller than a patch (got {width}x{height} pixels, patch "
            f"{size * scale}x{size * scale})"
        )
    hr = crop_to_multiple(hr, scale)
    reduced = downscale(hr, scale) if lr is None else lr
    corners = boxes(*reduced.shape[:2], size=size, stride=settings.stride)
    lr_patches, flat = _gather(reduced, corners, size), 0
    if settings.min_deviation:
        textured = lr_patches[..., 1].std(axis=(1, 2)) >= settings.min_deviation
        flat = int((~textured).sum())
        corners, lr_patches = corners[textured], lr_patches[textured]
    sharp = sharpness(hr, corners, size, scale)
    if settings.max_per_photo and len(corners) > settings.max_per_photo:
        best = np.sort(np.argsort(-sharp, kind="stable")[: settings.max_per_photo])
        corners, lr_patches, sharp = corners[best], lr_patches[best], sharp[best]
    hr_patches = _gather(hr, corners * scale, size * scale)
    return PhotoPatches(hr=hr_patches, lr=lr_patches, boxes=corners, sharpness=sharp, flat=flat)
