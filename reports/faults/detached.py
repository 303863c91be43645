"""A content loss that is computed, weighed, logged, and pulls on nobody."""

from collections.abc import Mapping
from functools import partial
from statistics import mean

import torch
from torch import Tensor

from reports.faults.case import Fault, Measured
from reports.faults.dataset import StudyData
from reports.faults.training import (
    SIDE,
    Trained,
    batches,
    generator_turn,
    scored,
    small_generator,
    train,
    vgg_settings,
)
from srmodels.data.batches.batch import Batch
from srmodels.losses.perceptual import Perceptual

__all__ = ["DETACHED"]

_LAYER = "conv2_2"
_STEPS = 200
_ENDS = 20  # steps that the beginning and the end of a curve are means of


class _Detached(Perceptual):
    """The features of both pictures computed without a graph."""

    def forward(self, sr: Tensor, hr: Tensor) -> Tensor:
        with torch.no_grad():
            return super().forward(sr, hr)


_KINDS: Mapping[str, type[Perceptual]] = {"ours": Perceptual, "detached": _Detached}


def _pull(loss: Perceptual, batch: Batch) -> float:
    """The L2 norm of the gradient that the content term alone leaves in a new generator."""
    generator = small_generator()
    (turn,) = generator_turn(generator, loss=loss, pixel=0.0)
    term = turn.losses(batch, {})["perceptual"]
    if not term.requires_grad:
        return 0.0
    gradients = torch.autograd.grad(term, list(generator.parameters()))
    return float(torch.nn.utils.get_total_norm(gradients))


def _ends(trained: Trained) -> dict[str, float]:
    """How the term's curve begins and ends."""
    curve = trained.curves["perceptual"]
    return {"first": round(mean(curve[:_ENDS]), 6), "last": round(mean(curve[-_ENDS:]), 6)}


def _measure(ground: StudyData) -> Measured:
    source = batches(ground, patch_size=SIDE)
    losses = {way: kind(vgg_settings(_LAYER)) for way, kind in _KINDS.items()}
    turns = {way: partial(generator_turn, loss=loss) for way, loss in losses.items()}
    trained = {
        way: train(small_generator(), each, source.batch, steps=_STEPS)
        for way, each in {**turns, "without": partial(generator_turn)}.items()
    }
    networks = {way: each.network for way, each in trained.items()}
    numbers = scored(networks, ground, ("psnr_y", "sharpness"))
    for way, loss in losses.items():
        numbers[way] |= {"gradient": round(_pull(loss, source.batch(0)), 6), **_ends(trained[way])}
    return Measured({**numbers, "training": {"steps": _STEPS}})


DETACHED = Fault(
    name="detached",
    title="A content loss without gradient",
    text="""Features of SR are computed under `torch.no_grad()`, taken with `.detach()` or `.data`,
or the loss is put together by `torch.tensor([...])`: the term has its value, but no graph behind
it. Added to a pixel loss it raises no error, and its curve even falls, from {detached[first]:.4f}
to {detached[last]:.4f} in {training[steps]:.0f} steps, because the pixel term improves the
pictures; a test that "the loss goes down" passes. What the training gives is what it gives without
the term, to the last digit: {detached[psnr_y]:.4f} dB and sharpness {detached[sharpness]:.4f}
against {without[psnr_y]:.4f} and {without[sharpness]:.4f}. What tells is the gradient that the term
alone leaves in the generator: {detached[gradient]:.4f}, where it should be {ours[gradient]:.4f};
with it the same steps come to a sharpness of {ours[sharpness]:.4f}. Here the gradient of every term
of every objective is followed by a test: to its own player, every parameter of it, and to nobody
else. (VGG19 has random weights here, which is enough to pull or not to pull.)""",
    ways={
        "ours": "pixel + content",
        "detached": "pixel + content under `no_grad`",
        "without": "pixel alone",
    },
    columns={
        "gradient": ("content term's gradient", 4),
        "first": ("content, first steps", 4),
        "last": ("content, last steps", 4),
        "psnr_y": ("PSNR-Y (dB)", 4),
        "sharpness": ("sharpness (HR: 1)", 4),
    },
    tests=(
        "tests/objectives/test_objectives.py"
        "::test_each_term_alone_pulls_on_the_generator_and_on_nobody_else",
        "tests/losses/test_perceptual.py::test_the_gradient_reaches_sr_and_neither_hr_nor_vgg",
    ),
    measure=_measure,
)
