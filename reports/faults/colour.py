"""A content loss alone, on what VGG19 was not trained for: nothing holds the colours."""

from collections.abc import Mapping
from copy import deepcopy
from functools import partial

from torch import nn

from reports.faults.case import Fault, Measured
from reports.faults.dataset import SCALE, StudyData
from reports.faults.training import (
    SIDE,
    batches,
    enlargers,
    generator_turn,
    scored,
    small_generator,
    train,
    vgg_settings,
)
from srmodels.data.batches.paired import PatchSampler
from srmodels.evaluation.pictures import CROP, most_detailed_crop, sheet
from srmodels.losses.perceptual import Perceptual
from srmodels.resize.images import downscale

__all__ = ["COLOUR"]

_LAYER = "conv5_4"  # SRGAN's and ESRGAN's
_BEFORE, _AFTER = 300, 60  # steps of the pixel loss, then of the content loss
_SHOWN = "astronaut"


def _normalised() -> Perceptual:
    return Perceptual(vgg_settings(_LAYER))


def _unnormalised() -> Perceptual:
    """VGG19 given 2x - 1 instead of what the ImageNet statistics make of x."""
    loss = _normalised()
    loss.mean.fill_(0.5)
    loss.std.fill_(0.5)
    return loss


def _trained(source: PatchSampler) -> Mapping[str, nn.Module]:
    """One start, without a bicubic path that would hold the colours, and what becomes of it."""
    start = train(small_generator("none"), generator_turn, source.batch, steps=_BEFORE).network
    ways = {
        "ours": partial(generator_turn, loss=_normalised()),
        "unnormalised": partial(generator_turn, loss=_unnormalised()),
        "alone": partial(generator_turn, loss=_normalised(), pixel=0.0),
        "both": partial(generator_turn, loss=_unnormalised(), pixel=0.0),
    }
    after = {
        way: train(
            deepcopy(start), turns, lambda step: source.batch(_BEFORE + step), steps=_AFTER
        ).network
        for way, turns in ways.items()
    }
    return {"start": start, **after}


def _measure(ground: StudyData) -> Measured:
    generators = _trained(batches(ground, patch_size=SIDE))
    hr = ground.pictures[_SHOWN]
    made = {way: each(downscale(hr, SCALE)) for way, each in enlargers(generators).items()}
    shown = {"HR": hr, "with pixel term": made["ours"], "without, normalised": made["alone"]}
    scores = ("colour_shift", "shift_l", "shift_a", "shift_b", "psnr_y")
    numbers = scored(generators, ground, scores)
    return Measured(
        {**numbers, "training": {"before": _BEFORE, "after": _AFTER}},
        sheet(
            {**shown, "without, not normalised": made["both"]},
            corner=most_detailed_crop(hr, CROP, multiple=SCALE),
            crop=CROP,
        ),
    )


COLOUR = Fault(
    name="colour",
    title="VGG fed the wrong range, and no pixel term",
    text="""VGG19 was trained on pictures less the ImageNet mean, over its deviation; public code
hands it the generator's [-1, 1], drops the pixel term because SRGAN has none, pretrains for some
hundreds of steps, and publishes pictures with a purple tint. The tint itself needs ImageNet
weights, which are a download; what is measured here has VGG19 (conv5_4) with random ones, and shows
less. From one start, {training[before]:.0f} steps of L1 with a colour shift of
{start[colour_shift]:.2f}, another {training[after]:.0f} steps with the content loss drift to
{alone[colour_shift]:.2f} (normalised) and {both[colour_shift]:.2f} (not) without the pixel term, at
{alone[psnr_y]:.2f} and {both[psnr_y]:.2f} dB, but to {ours[colour_shift]:.2f} and
{unnormalised[colour_shift]:.2f} with it, at {ours[psnr_y]:.2f} and {unnormalised[psnr_y]:.2f}: the
pixel term holds colours better than random features alone; that the range matters, too, these
numbers do not settle. What tells is the colour shift (CIEDE2000 of both pictures made four times
smaller), which every table has, with the direction of the tint in the metrics file. Here one module
owns the normalisation and refuses pictures in another range, and the recipes that need no ImageNet
weights keep the pixel term.""",
    ways={
        "start": "the start, pixel term alone",
        "ours": "content normalised, with the pixel term",
        "unnormalised": "content on [-1, 1], with the pixel term",
        "alone": "content normalised, no pixel term",
        "both": "content on [-1, 1], no pixel term",
    },
    columns={
        "colour_shift": ("colour shift (CIEDE2000)", 2),
        "shift_l": ("lighter", 2),
        "shift_a": ("redder", 2),
        "shift_b": ("yellower", 2),
        "psnr_y": ("PSNR-Y (dB)", 2),
    },
    tests=(
        "tests/losses/test_perceptual.py::test_hr_in_another_range_is_refused",
        "tests/losses/test_perceptual.py::test_sr_in_another_range_is_refused",
        "tests/losses/test_perceptual.py"
        "::test_mean_and_deviation_are_the_ones_torchvisions_weights_want",
        "tests/evaluation/test_colour.py::test_a_purple_tint_is_redder_and_bluer",
    ),
    picture="HR, and the same LR after three of these trainings",
    measure=_measure,
)
