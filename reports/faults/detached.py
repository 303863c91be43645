"""A content loss without gradient."""

from functools import partial
from statistics import mean

import torch
from torch import Tensor

from reports.faults.case import Measured
from reports.faults.dataset import StudyData
from reports.faults.training import (
    SIDE,
    batches,
    generator_turn,
    score_networks,
    small_generator,
    train,
    vgg_settings,
)
from srmodels.data.batches.batch import Batch
from srmodels.losses.perceptual import Perceptual

_LAYER = "conv2_2"
_STEPS = 200
_MEAN_OF = 20  # steps at the beginning and the end of a curve


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


def measure(data: StudyData) -> Measured:
    """Trainings with the content loss, with a detached one and without."""
    sampler, settings = batches(data, patch_size=SIDE), vgg_settings(_LAYER)
    losses = {"ours": Perceptual(settings), "detached": _Detached(settings), "without": None}
    trained = {
        name: train(
            small_generator(), partial(generator_turn, loss=loss), sampler.batch, steps=_STEPS
        )
        for name, loss in losses.items()
    }
    networks = {name: training.network for name, training in trained.items()}
    numbers = score_networks(networks, data, ("psnr_y", "sharpness"))
    for name, loss in losses.items():
        if loss is None:
            continue
        curve = trained[name].curves["perceptual"]
        numbers[name] |= {
            "gradient": round(_gradient_norm(loss, sampler.batch(0)), 6),
            "first": round(mean(curve[:_MEAN_OF]), 6),
            "last": round(mean(curve[-_MEAN_OF:]), 6),
        }
    return Measured({**numbers, "training": {"steps": _STEPS}})
