"""A content loss without a pixel loss, or with VGG19's input in the wrong range."""

from copy import deepcopy
from functools import partial

from reports.faults.case import Measured, detail_sheet
from reports.faults.dataset import SCALE, StudyData
from reports.faults.training import (
    SIDE,
    batches,
    generator_turn,
    score_networks,
    small_generator,
    train,
    upscalers,
    vgg_settings,
)
from srmodels.losses.perceptual import Perceptual
from srmodels.resize.images import downscale

_LAYER = "conv5_4"  # SRGAN's and ESRGAN's
_BEFORE, _AFTER = 300, 60  # steps with the pixel loss, then with the content loss
_SHOWN = "astronaut"


def _unnormalised_loss() -> Perceptual:
    """VGG19 with input 2x - 1 instead of ImageNet's normalisation of x."""
    loss = Perceptual(vgg_settings(_LAYER))
    loss.network.mean.fill_(0.5)
    loss.network.std.fill_(0.5)
    return loss


def measure(data: StudyData) -> Measured:
    """Colour shift of four trainings from one start without a bicubic residual."""
    sampler = batches(data, patch_size=SIDE)
    start = train(small_generator("none"), generator_turn, sampler.batch, steps=_BEFORE).network
    turns = {
        "ours": partial(generator_turn, loss=Perceptual(vgg_settings(_LAYER))),
        "unnormalised": partial(generator_turn, loss=_unnormalised_loss()),
        "alone": partial(generator_turn, loss=Perceptual(vgg_settings(_LAYER)), pixel=0.0),
        "both": partial(generator_turn, loss=_unnormalised_loss(), pixel=0.0),
    }
    networks = {"start": start}
    for name, turn in turns.items():
        networks[name] = train(
            deepcopy(start), turn, lambda step: sampler.batch(_BEFORE + step), steps=_AFTER
        ).network
    hr = data.pictures[_SHOWN]
    sr = {name: upscale(downscale(hr, SCALE)) for name, upscale in upscalers(networks).items()}
    scores = ("colour_shift", "shift_l", "shift_a", "shift_b", "psnr_y")
    numbers = score_networks(networks, data, scores)
    shown = {
        "HR": hr,
        "with pixel term": sr["ours"],
        "without, normalised": sr["alone"],
        "without, not normalised": sr["both"],
    }
    return Measured(
        {**numbers, "training": {"before": _BEFORE, "after": _AFTER}}, detail_sheet(shown)
    )
