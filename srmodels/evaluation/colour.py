"""Whether SR has HR's colours: CIEDE2000 and the mean shift in CIE Lab, after a reduction.

Sharma, Wu, Dalal, "The CIEDE2000 color-difference formula", Color Research and Application 30(1),
2005. Both pictures are first made four times smaller by the protocol's resize: what is left is
colour, not detail.
"""

import numpy as np
from numpy.typing import NDArray
from skimage.color import deltaE_ciede2000, rgb2lab

from srmodels.evaluation.luma import Picture
from srmodels.resize.images import crop_to_multiple, downscale

__all__ = ["colour_scores", "colour_shift", "lab_shift"]

_REDUCTION = 4


def _lab(picture: Picture) -> NDArray[np.float64]:
    """(H, W, 3) to (H / 4, W / 4, 3): L 0..100, a towards red, b towards yellow."""
    small = downscale(crop_to_multiple(picture, _REDUCTION), _REDUCTION)
    lab: NDArray[np.float64] = rgb2lab(small)  # sRGB, D65, 2 degrees
    return lab


def colour_scores(sr: Picture, hr: Picture) -> tuple[float, tuple[float, float, float]]:
    """`colour_shift` and `lab_shift` for the cost of one."""
    lab_sr, lab_hr = _lab(sr), _lab(hr)
    lightness, red, yellow = (lab_sr - lab_hr).mean(axis=(0, 1)).tolist()
    return float(deltaE_ciede2000(lab_hr, lab_sr).mean()), (lightness, red, yellow)


def colour_shift(sr: Picture, hr: Picture) -> float:
    """Mean CIEDE2000 between SR and HR, both reduced by 4.

    Args:
        sr: uint8 (H, W, 3), sRGB; H and W at least 4.
        hr: The same size.

    Returns:
        0 for equal pictures; about 1 is just noticeable side by side.
    """
    return colour_scores(sr, hr)[0]


def lab_shift(sr: Picture, hr: Picture) -> tuple[float, float, float]:
    """Mean of SR less HR in CIE Lab, both reduced by 4: a tint, with its direction.

    Args:
        sr: uint8 (H, W, 3), sRGB; H and W at least 4.
        hr: The same size.

    Returns:
        (dL, da, db): lighter, redder (less green), yellower (less blue) where positive. A purple
        tint has da > 0 and db < 0.
    """
    return colour_scores(sr, hr)[1]
