"""PSNR, SSIM and LPIPS of a generator on whole validation pictures, during training."""

from collections.abc import Callable
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from PIL import Image
from torch import nn

from srmodels.data.patches.given_lr import given_lr
from srmodels.errors import DataError
from srmodels.evaluation.metrics.psnr import psnr_y
from srmodels.evaluation.metrics.ssim import ssim_y
from srmodels.images.readers.folder import whole_images
from srmodels.resize.images import crop_to_multiple, downscale

Picture = NDArray[np.uint8]
Validate = Callable[[nn.Module], tuple[dict[str, float], dict[str, Picture]]]
"""Maps a generator to its scores and to sample pictures, both by name."""

_SAMPLES = 2  # pictures for the logger


def _pairs(folder: Path, scale: int) -> list[tuple[str, Picture, Picture]]:
    """Name, LR (the user's own, or made of HR by the protocol) and HR of every picture."""
    own, pairs = given_lr(folder), []
    for name, image in whole_images(folder):
        hr = crop_to_multiple(image, scale)
        pairs.append((name, own[name] if own else downscale(hr, scale), hr))
    return pairs


def first_pictures(folder: Path, scale: int) -> dict[str, Picture]:
    """The validation's sample pictures enlarged by bicubic, to show beside the network's."""
    shown = {}
    for name, lr, _ in _pairs(folder, scale)[:_SAMPLES]:
        size = (lr.shape[1] * scale, lr.shape[0] * scale)
        enlarged = Image.fromarray(lr).resize(size, Image.Resampling.BICUBIC)
        shown[f"validation/{name}"] = np.array(enlarged)
    return shown


def validator(
    folder: Path,
    scale: int,
    upscale: Callable[[nn.Module, Picture], Picture],
    *,
    lpips: Callable[[Picture, Picture], float] | None = None,
) -> Validate:
    """Makes a function that scores generators: validation_psnr_y (dB), validation_ssim_y.

    LR is made of the whole HR pictures in `folder` by the protocol's resize, or the user's own;
    `upscale` runs a generator on one, uint8 (H, W, 3). With `lpips` (of SR and HR) there is
    validation_lpips, too.
    """
    pairs = _pairs(folder, scale)
    if not pairs:
        raise DataError(f"{folder}: no validation picture (got none). Run the stage `patches`.")

    def validate(generator: nn.Module) -> tuple[dict[str, float], dict[str, Picture]]:
        upscaled = [(name, upscale(generator, lr), hr) for name, lr, hr in pairs]
        metrics = {"psnr_y": psnr_y, "ssim_y": ssim_y}
        scores = {
            f"validation_{name}": float(
                np.mean([metric(sr, hr, border=scale) for _, sr, hr in upscaled])
            )
            for name, metric in metrics.items()
        }
        if lpips is not None:
            scores["validation_lpips"] = float(np.mean([lpips(sr, hr) for _, sr, hr in upscaled]))
        return scores, {f"validation/{name}": sr for name, sr, _ in upscaled[:_SAMPLES]}

    return validate
