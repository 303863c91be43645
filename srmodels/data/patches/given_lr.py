"""Given LR pictures: whether one belongs to its HR picture; those of one's own, in a patch store.

`reduced` is HR reduced by the protocol. Both are uint8 (H, W, 3); green is compared.
"""

from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from scipy.ndimage import gaussian_filter

from srmodels.errors import PhotoError
from srmodels.images.readers.folder import whole_images

Picture = NDArray[np.uint8]

# PSNR of an official LR picture, dB. On 253 photographs at scale 4: rounding 48 or more, Pillow's
# bicubic 43 to 58; HR moved by one pixel both ways at most 37 in 95 % (one way: 40), by four 27,
# JPEG of quality 75 at most 41.
MIN_LR_PSNR = 40.0

# LR of one's own may be blurred, noisy or compressed. On 67 photographs at scale 4, without what a
# Gaussian of 4 LR pixels leaves: correlation of one photograph's pair 0.40 or more after
# second-order degradation, 0.21 or more with noise of 50 levels; of two photographs at most 0.06.
MIN_CORRELATION = 0.15
# LR pixels, measured on the same: at most 0.09 with noise of 25 levels or less, blur of 6 HR pixels
# or JPEG of quality 30, 0.21 with JPEG of quality 10; with HR moved by two pixels 0.43 or more.
MAX_SHIFT = 0.3
_SIGMA, _MARGIN = 4.0, 2  # LR pixels


def lr_folder(folder: Path) -> Path:
    """Where the LR pictures of one's own pairs are, of a store's folder validation or test."""
    return folder.with_name(f"{folder.name}_lr")


def given_lr(folder: Path) -> dict[str, Picture] | None:
    """Those LR pictures by the names of HR; None where LR is made of HR."""
    place = lr_folder(folder)
    return (dict(whole_images(place)) if place.is_dir() else None) or None


def _check_size(lr: Picture, reduced: Picture) -> None:
    if lr.shape != reduced.shape:
        size, expected = (f"{shape[1]}x{shape[0]}" for shape in (lr.shape, reduced.shape))
        raise PhotoError(f"has an LR picture of the wrong size (got {size}, not {expected})")


def check_official(lr: Picture, reduced: Picture) -> None:
    """Refuses, with a PhotoError, LR that is not the reduced HR but for rounding, or is shifted."""
    _check_size(lr, reduced)
    error = ((lr[..., 1].astype(np.float32) - reduced[..., 1]) ** 2).mean(dtype=np.float64)
    psnr = 10 * np.log10(255**2 / max(float(error), 1e-9))
    if psnr < MIN_LR_PSNR:
        raise PhotoError(
            f"has an LR picture that does not fit (got {psnr:.1f} dB against the reduced HR, less "
            f"than {MIN_LR_PSNR:g}; MATLAB's bicubic has 48)"
        )


def _details(picture: Picture) -> NDArray[np.float64]:
    green = picture[..., 1].astype(np.float64)
    details: NDArray[np.float64] = green - gaussian_filter(green, _SIGMA)
    return details


def _correlation(first: NDArray[np.float64], second: NDArray[np.float64]) -> float:
    first, second = first - first.mean(), second - second.mean()
    norm = np.linalg.norm(first) * np.linalg.norm(second)
    return float((first * second).sum() / norm) if norm else 0.0


def _shift(before: float, centre: float, after: float) -> float:
    """Where the parabola through three correlations, a pixel apart, is highest; at most 1."""
    curvature = before - 2 * centre + after
    if curvature >= 0:  # far from the highest
        return float(np.sign(after - before))
    return min(max((before - after) / (2 * curvature), -1.0), 1.0)


def check_own(lr: Picture, reduced: Picture) -> str:
    """Compares details of LR with those of the reduced HR, there and a pixel away each way.

    Returns a note for the manifest. Raises PhotoError for another size, another picture, or one
    that is shifted.
    """
    _check_size(lr, reduced)
    details, hr = _details(lr), _details(reduced)
    height, width = details.shape
    inner = details[_MARGIN:-_MARGIN, _MARGIN:-_MARGIN]

    def correlation(down: int, right: int) -> float:
        rows, columns = (
            slice(_MARGIN - moved, size - _MARGIN - moved)
            for moved, size in ((down, height), (right, width))
        )
        return _correlation(inner, hr[rows, columns])

    centre = correlation(0, 0)
    if centre < MIN_CORRELATION:
        raise PhotoError(
            f"has an LR picture of something else (got a correlation of {centre:.2f} with the "
            f"reduced HR, less than {MIN_CORRELATION:g})"
        )
    down = _shift(correlation(-1, 0), centre, correlation(1, 0))
    right = _shift(correlation(0, -1), centre, correlation(0, 1))
    if np.hypot(down, right) > MAX_SHIFT:
        far = " or more" if max(abs(down), abs(right)) == 1 else ""
        raise PhotoError(
            f"has an LR picture that is shifted (got {right:+.1f} to the right, {down:+.1f} down"
            f"{far}, in LR pixels; at most {MAX_SHIFT:g})"
        )
    return f"LR of its own, correlation {centre:.2f}"
