"""Validation on random crops: the score of bicubic changes from run to run."""

from collections.abc import Callable
from statistics import mean

import numpy as np
from torch import nn

from reports.faults.case import SCALE, Measured, StudyData
from srmodels.engine.validation import validator
from srmodels.evaluation.metrics.luma import Picture
from srmodels.evaluation.metrics.psnr import psnr_y
from srmodels.resize.images import downscale
from srmodels.resize.tensors import enlarge_image

_SIDE = 96  # HR pixels, as training crops
_VALIDATIONS = 10


def _score_crops(pictures: list[Picture], number: int, seed: int) -> float:
    """Mean PSNR-Y of bicubic on `number` random crops of each picture."""
    rng = np.random.default_rng(seed)
    crops = []
    for hr in (hr for hr in pictures for _ in range(number)):
        top, left = (rng.integers(0, length - _SIDE + 1) for length in hr.shape[:2])
        crops.append(hr[top : top + _SIDE, left : left + _SIDE])
    upscaled = [(enlarge_image(downscale(hr, SCALE), SCALE), hr) for hr in crops]
    return mean(psnr_y(sr, hr, border=SCALE) for sr, hr in upscaled)


def _statistics(scores: list[float]) -> dict[str, float]:
    low, high = min(scores), max(scores)
    numbers = {"psnr_y": mean(scores), "lowest": low, "highest": high, "spread": high - low}
    return {name: round(value, 6) for name, value in numbers.items()}


def measure(data: StudyData) -> Measured:
    """PSNR-Y of bicubic over ten validations on whole images or on crops."""
    pictures = list(data.pictures.values())
    validate = validator(data.test_folder, SCALE, lambda _, lr: enlarge_image(lr, SCALE))
    variants: dict[str, Callable[[int], float]] = {
        "ours": lambda _: validate(nn.Identity())[0]["validation_psnr_y"],
        "one": lambda seed: _score_crops(pictures, 1, seed),
        "sixteen": lambda seed: _score_crops(pictures, 16, seed),
    }
    return Measured(
        {
            name: _statistics([score(seed) for seed in range(_VALIDATIONS)])
            for name, score in variants.items()
        }
    )
