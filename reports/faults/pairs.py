"""LR and HR that do not show the same place."""

from collections.abc import Callable
from statistics import mean

import numpy as np
import torch
from torch import Tensor, nn

from reports.faults.case import Fault, Measured
from reports.faults.dataset import SCALE, StudyData
from reports.faults.training import batches, enlargers, scored, small_generator, train
from srmodels.data.batches.batch import Batch
from srmodels.data.batches.paired import PatchSampler
from srmodels.evaluation.luma import Picture
from srmodels.evaluation.pictures import CROP, most_detailed_crop, sheet
from srmodels.evaluation.psnr import psnr_y
from srmodels.objectives.pixel import PixelSettings, pixel_turns
from srmodels.objectives.turn import Turn
from srmodels.resize.images import downscale

__all__ = ["PAIRS", "WAYS"]

_STEPS = 300
_SIDE = 24
_SHOWN = "coffee"
Change = Callable[[Batch, int], Batch]


def _laid_out(pictures: Tensor) -> Tensor:
    return pictures.contiguous(memory_format=torch.channels_last)


def _moved(batch: Batch, step: int, *, reach: int) -> Batch:
    """HR at any x, LR at x // scale: so HR lies up to `reach` pixels further than LR says.

    Args:
        batch: Of crops a pixel of LR larger than wanted.
        step: Decides how far, with the seed 1.
        reach: 3 is the fault; 0 is ours, on the same crops.
    """
    side = batch.lr.shape[-1] - 1
    shifts = np.random.default_rng([1, step]).integers(0, reach + 1, (len(batch.lr), 2)).tolist()
    end = side * SCALE
    hr = [
        each[:, top : top + end, left : left + end]
        for each, (top, left) in zip(batch.hr, shifts, strict=True)
    ]
    lr = batch.lr[..., :side, :side]
    return Batch(lr=_laid_out(lr), hr=_laid_out(torch.stack(hr)), photos=batch.photos)


def _decimated(batch: Batch, step: int) -> Batch:
    """LR is every fourth pixel of HR: 1.5 HR pixels up and to the left, and aliased."""
    ours = _moved(batch, step, reach=0)
    return Batch(lr=_laid_out(ours.hr[..., ::SCALE, ::SCALE]), hr=ours.hr, photos=ours.photos)


WAYS: dict[str, Change] = {
    "ours": lambda batch, step: _moved(batch, step, reach=0),
    "moved": lambda batch, step: _moved(batch, step, reach=SCALE - 1),
    "decimated": _decimated,
}


def _perfect(hr: Picture) -> Picture:
    """The best a network can answer, in the squared error, to pairs moved by 0 to 3 pixels."""
    height, width = hr.shape[:2]
    wide = np.pad(hr, ((0, SCALE), (0, SCALE), (0, 0)), mode="symmetric").astype(np.float64)
    moved = [
        wide[top : top + height, left : left + width]
        for top in range(SCALE)
        for left in range(SCALE)
    ]
    answer: Picture = np.floor(np.mean(moved, axis=0) + 0.5).astype(np.uint8)
    return answer


def _turns(generator: nn.Module) -> tuple[Turn, ...]:
    return pixel_turns(generator, PixelSettings(kind="mse"))


def _changed(source: PatchSampler, change: Change) -> Callable[[int], Batch]:
    return lambda step: change(source.batch(step), step)


def _measure(ground: StudyData) -> Measured:
    source = batches(ground, patch_size=_SIDE + 1)
    trained = {
        way: train(small_generator(), _turns, _changed(source, change), steps=_STEPS).network
        for way, change in WAYS.items()
    }
    ceiling = mean(psnr_y(_perfect(hr), hr, border=SCALE) for hr in ground.pictures.values())
    numbers = scored(trained, ground, ("psnr_y", "lr_consistency", "sharpness"))
    hr = ground.pictures[_SHOWN]
    made = {way: each(downscale(hr, SCALE)) for way, each in enlargers(trained).items()}
    shown = {"HR": hr, "aligned": made["ours"], "LR at x // 4": made["moved"]}
    return Measured(
        {**numbers, "ceiling": {"psnr_y": round(ceiling, 6)}, "training": {"steps": _STEPS}},
        sheet(
            {**shown, "every fourth pixel": made["decimated"]},
            corner=most_detailed_crop(hr, CROP, multiple=SCALE),
            crop=CROP,
        ),
    )


PAIRS = Fault(
    name="pairs",
    title="Pairs that are not aligned",
    text="""HR is cut at any pixel x and LR at `x // 4`, or LR is `hr[::4, ::4]`, or made by a
resize with another idea of where a pixel's middle lies: the pair is shifted by up to 3 HR pixels.
No error is raised and the loss falls, towards an answer that is shifted and blurred: a network that
had learnt all there is in `x // 4` would score {ceiling[psnr_y]:.2f} dB on whole pictures, below
bicubic's {bicubic[psnr_y]:.2f}. After {training[steps]:.0f} steps from the same weights on the same
photographs the generator is at {ours[psnr_y]:.2f} dB with aligned pairs, on its way down at
{moved[psnr_y]:.2f} with `x // 4`, and at {decimated[psnr_y]:.2f} with every fourth pixel. What
tells is PSNR-Y on whole pictures beside bicubic, and more plainly the consistency with LR (SR made
small again, compared with LR): {moved[lr_consistency]:.1f} dB instead of
{ours[lr_consistency]:.1f}. Here the whole photograph is shrunk first, boxes are chosen on the LR
grid and HR's box is four times LR's; a test shrinks HR patches again and compares, and LR pictures
that came with a set are refused where they do not fit.""",
    ways={
        "bicubic": "bicubic",
        "ours": "trained on aligned pairs",
        "moved": "HR at x, LR at `x // 4`",
        "decimated": "LR is `hr[::4, ::4]`",
        "ceiling": "the best answer to `x // 4`",
    },
    columns={
        "psnr_y": ("PSNR-Y (dB)", 2),
        "lr_consistency": ("LR consistency (dB)", 1),
        "sharpness": ("sharpness (HR: 1)", 2),
    },
    tests=(
        "tests/data/patches/test_cut.py::test_every_hr_patch_is_its_box_and_shrinks_to_its_lr_patch",
        "tests/data/patches/test_cut.py::test_a_shift_by_one_pixel_would_be_noticed",
        "tests/data/patches/test_cut.py::test_a_given_lr_picture_that_does_not_fit_is_refused",
    ),
    picture="HR, and what the three trainings make of its LR",
    measure=_measure,
)
