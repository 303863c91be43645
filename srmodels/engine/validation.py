"""How good a generator is on whole validation pictures, while it trains."""

from collections.abc import Callable
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from torch import nn

from srmodels.errors import DataError
from srmodels.evaluation.psnr import psnr_y
from srmodels.evaluation.ssim import ssim_y
from srmodels.images.readers.folder import whole_images
from srmodels.resize.images import crop_to_multiple, downscale

__all__ = ["Picture", "Validate", "validator"]

Picture = NDArray[np.uint8]
Validate = Callable[[nn.Module], tuple[dict[str, float], dict[str, Picture]]]
"""From a generator to its scores and to the pictures that are shown, both by name."""

_SHOWN = 2  # pictures sent to the tracking server


def validator(
    folder: Path, scale: int, upscale: Callable[[nn.Module, Picture], Picture]
) -> Validate:
    """Scores generators on the pictures of a folder: validation_psnr_y (dB), validation_ssim_y.

    Args:
        folder: Of whole HR pictures.
        scale: HR over LR; LR is made by the protocol's resize.
        upscale: Runs a generator on a whole LR picture, uint8 (H, W, 3).

    Raises:
        DataError: The folder holds no picture.
    """
    pairs = [
        (name, downscale(hr, scale), hr)
        for name, image in whole_images(folder)
        for hr in [crop_to_multiple(image, scale)]
    ]
    if not pairs:
        raise DataError(f"{folder}: no picture to validate on; run `patches`")

    def validate(generator: nn.Module) -> tuple[dict[str, float], dict[str, Picture]]:
        made = [(name, upscale(generator, lr), hr) for name, lr, hr in pairs]
        scores = {
            f"validation_{name}": float(
                np.mean([score(sr, hr, border=scale) for _, sr, hr in made])
            )
            for name, score in (("psnr_y", psnr_y), ("ssim_y", ssim_y))
        }
        pictures = {f"validation/{name}": sr for name, sr, _ in made[:_SHOWN]}
        return scores, pictures

    return validate
