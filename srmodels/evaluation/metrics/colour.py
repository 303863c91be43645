"""Colour shift of SR against HR: CIEDE2000 and the mean difference in CIE Lab.

Sharma, Wu, Dalal, "The CIEDE2000 color-difference formula", Color Research and Application 30(1),
2005. Both pictures are first reduced by 4 with the protocol's resize, which leaves colour without
detail.
"""

import numpy as np
from numpy.typing import NDArray
from skimage.color import deltaE_ciede2000, rgb2lab

from srmodels.evaluation.metrics.luma import Picture
from srmodels.resize.images import crop_to_multiple, downscale

_REDUCTION = 4


def _lab(picture: Picture) -> NDArray[np.float64]:
    """(H, W, 3) to (H / 4, W / 4, 3): L 0..100, a towards red, b towards yellow."""
    small = downscale(crop_to_multiple(picture, _REDUCTION), _REDUCTION)
    lab: NDArray[np.float64] = rgb2lab(small)  # sRGB, D65, 2 degrees
    return lab


def colour_scores(sr: Picture, hr: Picture) -> tuple[float, tuple[float, float, float]]:
    """The colour shift and the tint of SR, uint8 (H, W, 3), sRGB, H and W at least 4.

    The mean CIEDE2000, 0 for equal pictures, about 1 just noticeable side by side; and the mean of
    SR less HR in CIE Lab: positive is lighter, redder (less green), yellower (less blue).
    """
    lab_sr, lab_hr = _lab(sr), _lab(hr)
    lightness, red, yellow = (lab_sr - lab_hr).mean(axis=(0, 1)).tolist()
    return float(deltaE_ciede2000(lab_hr, lab_sr).mean()), (lightness, red, yellow)
