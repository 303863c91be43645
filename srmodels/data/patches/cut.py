"""One photograph to aligned pairs of patches.

The whole photograph is shrunk first, then boxes are chosen on the LR grid and the HR box is
`scale` times the LR one. Cutting HR anywhere and dividing its corner shifts a pair by up to
`scale - 1` pixels, which costs more than a good network gains.
"""

import numpy as np
from numpy.typing import NDArray

from srmodels.data.patches.settings import PatchSettings
from srmodels.data.patches.sharpness import sharpness
from srmodels.data.store.index import PhotoPatches
from srmodels.errors import PhotoError
from srmodels.resize.images import crop_to_multiple, downscale

__all__ = ["PatchSettings", "boxes", "cut"]

# dB, green, of a given LR picture against the reduced HR. Rounding alone leaves 48 and more. On 253
# photographs at scale 4 Pillow's bicubic has 43 to 58, HR moved by one pixel both ways up to 37 in
# 95 % of them (by one way, 40), moved by four 27, JPEG of quality 75 at most 41.
MIN_FIT = 40.0


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


def _check_fit(given: NDArray[np.uint8], made: NDArray[np.uint8]) -> None:
    """Refuses an LR picture that does not show what the HR one shows, at the same place."""
    if given.shape != made.shape:
        found, right = (f"{shape[1]}x{shape[0]}" for shape in (given.shape, made.shape))
        raise PhotoError(f"has an LR picture of the wrong size (found {found}; {right} is right)")
    error = ((given[..., 1].astype(np.float32) - made[..., 1]) ** 2).mean(dtype=np.float64)
    psnr = 10 * np.log10(255**2 / max(float(error), 1e-9))
    if psnr < MIN_FIT:
        raise PhotoError(
            f"has an LR picture that does not fit (found {psnr:.1f} dB against the reduced HR; "
            f"{MIN_FIT:g} dB or more is right; MATLAB's bicubic has 48)"
        )


def _reduce(hr: NDArray[np.uint8], scale: int, lr: NDArray[np.uint8] | None) -> NDArray[np.uint8]:
    made = downscale(hr, scale)
    if lr is None:
        return made
    _check_fit(lr, made)
    return lr


def cut(
    hr: NDArray[np.uint8],
    settings: PatchSettings,
    scale: int,
    *,
    lr: NDArray[np.uint8] | None = None,
) -> PhotoPatches:
    """Cuts a photograph into aligned pairs.

    Args:
        hr: The photograph, uint8 (H, W, 3).
        settings: Sizes and limits.
        scale: HR over LR.
        lr: Its official LR picture, uint8 (H // scale, W // scale, 3); None: it is made of HR.

    Raises:
        PhotoError: The photograph is smaller than a patch, or `lr` does not fit.
    """
    size = settings.patch_size
    height, width = hr.shape[:2]
    if min(height, width) < size * scale:
        raise PhotoError(
            f"is smaller than a patch (found {width}x{height} pixels; "
            f"{size * scale}x{size * scale} or more is right, or lower patches.patch_size)"
        )
    hr = crop_to_multiple(hr, scale)
    small = _reduce(hr, scale, lr)
    found = boxes(*small.shape[:2], size=size, stride=settings.stride)
    patches, flat = _gather(small, found, size), 0
    if settings.min_deviation:
        textured = patches[..., 1].std(axis=(1, 2)) >= settings.min_deviation
        flat = int((~textured).sum())
        found, patches = found[textured], patches[textured]
    sharp = sharpness(hr, found, size, scale)
    if settings.max_per_photo and len(found) > settings.max_per_photo:
        kept = np.sort(np.argsort(-sharp, kind="stable")[: settings.max_per_photo])
        found, patches, sharp = found[kept], patches[kept], sharp[kept]
    large = _gather(hr, found * scale, size * scale)
    return PhotoPatches(hr=large, lr=patches, boxes=found, sharpness=sharp, flat=flat)
