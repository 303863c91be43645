"""A baseline that differs from validation to validation."""

from collections.abc import Callable
from statistics import mean

import numpy as np
from torch import nn

from reports.faults.case import Fault, Measured
from reports.faults.dataset import SCALE, StudyData
from srmodels.engine.validation import validator
from srmodels.evaluation.luma import Picture
from srmodels.evaluation.psnr import psnr_y
from srmodels.resize.images import downscale
from srmodels.resize.tensors import enlarge_image

__all__ = ["VALIDATION"]

_SIDE = 96  # HR pixels, what training crops measure
_VALIDATIONS = 10


def _crop(hr: Picture, rng: np.random.Generator) -> Picture:
    top, left = (rng.integers(0, length - _SIDE + 1) for length in hr.shape[:2])
    return hr[top : top + _SIDE, left : left + _SIDE]


def _by_crops(pictures: list[Picture], number: int, seed: int) -> float:
    """Mean PSNR-Y of bicubic on `number` random crops of each picture."""
    rng = np.random.default_rng(seed)
    crops = [_crop(hr, rng) for hr in pictures for _ in range(number)]
    enlarged = [(enlarge_image(downscale(hr, SCALE), SCALE), hr) for hr in crops]
    return mean(psnr_y(sr, hr, border=SCALE) for sr, hr in enlarged)


def _described(found: list[float]) -> dict[str, float]:
    numbers = {
        "psnr_y": mean(found),
        "lowest": min(found),
        "highest": max(found),
        "spread": max(found) - min(found),
    }
    return {name: round(value, 6) for name, value in numbers.items()}


def _measure(ground: StudyData) -> Measured:
    pictures = list(ground.pictures.values())
    validate = validator(ground.scored, SCALE, lambda _, lr: enlarge_image(lr, SCALE))
    ways: dict[str, Callable[[int], float]] = {
        "ours": lambda _: validate(nn.Identity())[0]["validation_psnr_y"],
        "one": lambda seed: _by_crops(pictures, 1, seed),
        "sixteen": lambda seed: _by_crops(pictures, 16, seed),
    }
    return Measured(
        {way: _described([one(run) for run in range(_VALIDATIONS)]) for way, one in ways.items()}
    )


VALIDATION = Fault(
    name="validation",
    title="Validation by unseeded random crops",
    text="""The data set class that serves training serves validation too, `RandomCrop` included and
no seed set: each validation then scores other pixels. Bicubic, which has no parameters and cannot
change, moves by {one[spread]:.2f} dB over ten validations with a crop of each photograph, and still
by {sixteen[spread]:.2f} dB with sixteen; more photographs shrink that, but never to nothing.
Improvements from one validation to the next are of that size or less, and so the "best checkpoint"
is the one with the luckiest crops. What tells is the deterministic baseline's spread: it has to be
{ours[spread]:.2f}. Here training is watched on whole pictures, LR made of them once by the
protocol, and final scores come from whole pictures as well. (The crops below have the seeds 0 to 9,
so that this page can be repeated; each stands for a run without one.)""",
    ways={
        "ours": "whole photographs",
        "one": "one random crop of each",
        "sixteen": "sixteen random crops of each",
    },
    columns={
        "psnr_y": ("bicubic, mean PSNR-Y (dB)", 2),
        "lowest": ("lowest", 2),
        "highest": ("highest", 2),
        "spread": ("spread", 2),
    },
    tests=(
        "tests/reports/test_faults.py::test_two_validations_of_one_generator_are_equal",
        "tests/evaluation/test_report.py::test_the_same_run_twice_writes_the_same_bytes",
    ),
    measure=_measure,
)
