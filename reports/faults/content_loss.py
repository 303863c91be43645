"""A content loss without a pixel loss, with a wrong range of VGG16's input, or without gradient."""

from copy import deepcopy
from functools import partial
from statistics import mean

import torch
from torch import Tensor

from reports.faults.case import SCALE, Measured, StudyData, detail_sheet
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
from srmodels.data.batches.batch import Batch
from srmodels.losses.perceptual import Perceptual
from srmodels.resize.images import downscale

_LAYER = "conv5_3"  # the last, as SRGAN and ESRGAN take VGG19's
_BEFORE, _AFTER = 300, 60  # steps with the pixel loss, then with the content loss
_SHOWN = "astronaut"
_DETACHED_LAYER = "conv2_2"
_DETACHED_STEPS = 200
_DETACHED_MEAN = 20  # steps at the beginning and the end of a curve


def _unnormalised_loss() -> Perceptual:
    """VGG16 with input 2x - 1 instead of ImageNet's normalisation of x."""
    loss = Perceptual(vgg_settings(_LAYER))
    loss.network.mean.fill_(0.5)
    loss.network.std.fill_(0.5)
    return loss


def measure_colour(data: StudyData) -> Measured:
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
    scores = ("colour_shift", "shift_l", "shift_a", "shift_b", "psnr_y", "lpips")
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


class _Detached(Perceptual):
    def forward(self, sr: Tensor, hr: Tensor) -> Tensor:
        with torch.no_grad():
            return super().forward(sr, hr)


def _gradient_norm(loss: Perceptual, batch: Batch) -> float:
    """The L2 norm of the content term's gradient in a new generator."""
    generator = small_generator()
    (turn,) = generator_turn(generator, loss=loss, pixel=0.0)
    term = turn.losses(batch, {})["perceptual"]
    if not term.requires_grad:
        return 0.0
    gradients = torch.autograd.grad(term, list(generator.parameters()))
    return float(torch.nn.utils.get_total_norm(gradients))


def measure_detached(data: StudyData) -> Measured:
    """Trainings with the content loss, with a detached one and without."""
    sampler, settings = batches(data, patch_size=SIDE), vgg_settings(_DETACHED_LAYER)
    losses = {"ours": Perceptual(settings), "detached": _Detached(settings), "without": None}
    trained = {
        name: train(
            small_generator(),
            partial(generator_turn, loss=loss),
            sampler.batch,
            steps=_DETACHED_STEPS,
        )
        for name, loss in losses.items()
    }
    networks = {name: training.network for name, training in trained.items()}
    numbers = score_networks(networks, data, ("psnr_y", "sharpness", "lpips"))
    for name, loss in losses.items():
        if loss is None:
            continue
        curve = trained[name].curves["perceptual"]
        numbers[name] |= {
            "gradient": round(_gradient_norm(loss, sampler.batch(0)), 6),
            "first": round(mean(curve[:_DETACHED_MEAN]), 6),
            "last": round(mean(curve[-_DETACHED_MEAN:]), 6),
        }
    return Measured({**numbers, "training": {"steps": _DETACHED_STEPS}})
