"""NIQE: how unlike the statistics of pristine photographs those of a picture are; no HR is needed.

Mittal, Soundararajan, Bovik, "Making a completely blind image quality analyzer", IEEE Signal
Processing Letters 20(3), 2013, and the authors' MATLAB code: Y rounded to whole grey levels, blocks
of 96 x 96 pixels at two scales, the second by MATLAB's imresize. The parameters are the authors'.
"""

import numpy as np
import torch
from numpy.typing import NDArray
from scipy.ndimage import gaussian_filter
from scipy.special import gamma

from srmodels.errors import ProtocolError
from srmodels.evaluation.metrics.luma import Picture, luma
from srmodels.pretrained.weights import load_weights
from srmodels.resize.tensors import reduce

Array = NDArray[np.float64]

_BLOCK = 96
_SHAPES = np.arange(0.2, 10.001, 0.001)  # candidates for the exponent of the distribution
_RATIOS = gamma(2 / _SHAPES) ** 2 / (gamma(1 / _SHAPES) * gamma(3 / _SHAPES))
_NEIGHBOURS = ((0, 1), (1, 0), (1, 1), (1, -1))


def _normalise(y: Array) -> Array:
    """Eq. 1: less the local mean, over the local deviation, by a 7 x 7 Gaussian of sigma 7/6."""
    mean, square = (gaussian_filter(plane, 7 / 6, radius=3, mode="nearest") for plane in (y, y * y))
    normalised: Array = (y - mean) / (np.sqrt(np.abs(square - mean**2)) + 1)
    return normalised


def _fit(values: Array) -> tuple[float, float, float]:
    """Shape and the scales below and above 0 of a generalised Gaussian (eqs. 7 and 8)."""
    left, right = values[values < 0], values[values > 0]
    if not (left.size and right.size):
        return np.nan, np.nan, np.nan
    deviations = np.sqrt(np.mean(left**2)), np.sqrt(np.mean(right**2))
    ratio = deviations[0] / deviations[1]
    observed = np.mean(np.abs(values)) ** 2 / np.mean(values**2)
    observed *= (ratio**3 + 1) * (ratio + 1) / (ratio**2 + 1) ** 2
    shape = _SHAPES[np.argmin((_RATIOS - observed) ** 2)]
    factor = np.sqrt(gamma(1 / shape) / gamma(3 / shape))
    return shape, deviations[0] * factor, deviations[1] * factor


def _block_features(block: Array) -> list[float]:
    """The 18 numbers of a block: shape and scale, and those of products of neighbours."""
    shape, left, right = _fit(block)
    features = [shape, (left + right) / 2]
    for shift in _NEIGHBOURS:
        shape, left, right = _fit(block * np.roll(block, shift, axis=(0, 1)))
        mean = (right - left) * gamma(2 / shape) / gamma(1 / shape)  # eq. 9
        features += [shape, mean, left, right]
    return features


def _features(y: Array) -> Array:
    """(blocks, 36): those of each block at both scales; NaN in blocks without texture."""
    half = reduce(torch.from_numpy(y)[None, None] / 255, 2)[0, 0].numpy() * 255
    columns = []
    for plane, size in ((y, _BLOCK), (half, _BLOCK // 2)):
        normalised = _normalise(plane)
        rows, across = (length // size for length in plane.shape)
        blocks = normalised.reshape(rows, size, across, size).swapaxes(1, 2).reshape(-1, size, size)
        columns.append([_block_features(block) for block in blocks])
    return np.concatenate(columns, axis=1)


class Niqe:
    """Scores pictures alone."""

    def __init__(self) -> None:
        parameters = load_weights("niqe")
        self.mean, self.covariance = (parameters[name].numpy() for name in ("mean", "covariance"))

    def __call__(self, picture: Picture) -> float:
        """NIQE of uint8 (H, W, 3), two blocks of 96 or more: lower is better, 3 to 6 as a rule."""
        height, width = (length // _BLOCK * _BLOCK for length in picture.shape[:2])
        features = np.empty((0, 36))
        if height and width:
            features = _features(np.rint(luma(picture[:height, :width])))
        complete = features[~np.isnan(features).any(axis=1)]
        if len(complete) < 2:
            raise ProtocolError(
                f"NIQE: too little to score (got {len(complete)} textured blocks of {_BLOCK} x "
                f"{_BLOCK} pixels in {picture.shape[1]} x {picture.shape[0]}). Use pictures with "
                "two or more."
            )
        difference = self.mean - np.nanmean(features, axis=0)
        covariance = (self.covariance + np.cov(complete, rowvar=False)) / 2
        return float(np.sqrt(difference @ np.linalg.pinv(covariance) @ difference))  # eq. 10
