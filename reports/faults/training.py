"""Small trainings: the engine's own step, without its checkpoints, tracking and bf16.

What the faults of the content loss share: VGG19 with random weights, and a generator's turn.

Generators scored as the pipeline scores them, for the faults that train.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from functools import cache, partial
from pathlib import Path
from typing import Literal, NamedTuple

import torch
from torch import Tensor, nn
from tqdm import tqdm

from reports.faults.dataset import SCALE, StudyData
from srmodels import models, params
from srmodels.data.batches.batch import Batch
from srmodels.data.batches.paired import PatchSampler
from srmodels.engine.fabric import Fabric
from srmodels.engine.optim.ema import EMA
from srmodels.engine.optim.optim import OptimSettings, learning_rate_at, optimizer_for, set_rate
from srmodels.engine.precision import fabric_for, to_channels_last
from srmodels.engine.run_settings import Precision, RunSettings
from srmodels.engine.step import take_step
from srmodels.evaluation.luma import Picture
from srmodels.evaluation.means import means
from srmodels.evaluation.samples import Draw
from srmodels.evaluation.scores import evaluate
from srmodels.inference.tiling.upscale import upscaler
from srmodels.losses.perceptual import Perceptual, PerceptualSettings
from srmodels.models.srresnet import Settings
from srmodels.objectives.gan import GanSettings, GanWeights, gan_turns
from srmodels.objectives.turn import Turn

__all__ = [
    "SIDE",
    "Trained",
    "batches",
    "enlargers",
    "generator_turn",
    "scored",
    "small_generator",
    "train",
    "vgg_settings",
]

_PARAMS = Path(__file__).parents[2] / "params.yaml"

_OPTIMIZER = OptimSettings(learning_rate=1e-3, betas=(0.9, 0.99), schedule="cosine", ema_decay=0.99)


class Trained(NamedTuple):
    """What a training leaves.

    Attributes:
        network: The running average of its weights, in eval mode.
        curves: What every step told, by name.
    """

    network: nn.Module
    curves: Mapping[str, Sequence[float]]


def small_generator(residual: Literal["none", "bicubic"] = "bicubic") -> nn.Module:
    """The recipe srresnet's quickstart with half its blocks; the same weights on every call.

    Args:
        residual: What is added to its output; "none" is the paper's.
    """
    torch.manual_seed(0)
    small = params.load(_PARAMS, model="srresnet", preset="quickstart").recipe.generator
    assert isinstance(small.settings, Settings)
    half = replace(small.settings, num_blocks=small.settings.num_blocks // 2, residual=residual)
    return models.build(small.name, half)


def batches(ground: StudyData, *, patch_size: int, batch_size: int = 4) -> PatchSampler:
    """Batches of the photographs to train on; the same ones for every way of a fault."""
    return PatchSampler(
        ground.store,
        patch_size=patch_size,
        batch_size=batch_size,
        seed=0,
        scale=SCALE,
        permute_colours=True,
    )


@cache
def _fabric(precision: Precision) -> Fabric:
    return fabric_for(RunSettings(device="cpu"), precision)


def train(
    network: nn.Module,
    turns: Callable[[nn.Module], Sequence[Turn]],
    batch: Callable[[int], Batch],
    *,
    steps: int,
    precision: Precision = "32-true",
) -> Trained:
    """Trains a generator; network and batches being equal, so is what is drawn.

    Args:
        network: Changed.
        turns: Of the network: the one turn that moves it, in a sequence.
        batch: Of a step, from 0 on.
        steps: How many.
        precision: As recipes have it; the default does not depend on the machine's kind of bf16.
    """
    torch.manual_seed(0)
    fabric, network = _fabric(precision), to_channels_last(network.train())
    taken = turns(fabric.setup_module(network))
    optimizer = fabric.setup_optimizers(optimizer_for((network,), _OPTIMIZER))
    average = EMA(network, _OPTIMIZER.ema_decay)
    told: list[dict[str, Tensor]] = []
    for step in tqdm(range(steps), "steps", disable=None, leave=False):
        set_rate(optimizer, learning_rate_at(step, steps, _OPTIMIZER))
        shared = {"step": torch.tensor(step)}
        told.append(take_step(fabric, taken, {"generator": optimizer}, batch(step), shared=shared))
        average.update(network, step)
    curves = {name: [float(each[name]) for each in told] for name in told[0]}
    return Trained(average.network, curves)


SIDE = 16  # of a crop in LR pixels; VGG19 is most of the time


def vgg_settings(layer: str) -> PerceptualSettings:
    """Of one layer; random weights are the same everywhere and need no download."""
    return PerceptualSettings(weights="random", layers={layer: 1.0}, feature_scale=1.0)


def generator_turn(
    generator: nn.Module, *, loss: Perceptual | None = None, pixel: float = 1.0
) -> tuple[Turn, ...]:
    """The generator's turn of a GAN without an adversarial term.

    Args:
        generator: Whose.
        loss: The content loss, of weight 1; None leaves it out.
        pixel: Weight of the L1 loss.
    """
    weights = GanWeights(pixel=pixel, perceptual=0.0 if loss is None else 1.0, adversarial=0.0)
    settings = GanSettings(
        pixel_loss="l1", weights=weights, perceptual=None if loss is None else loss.settings
    )
    return gan_turns(generator, nn.Identity(), settings, loss)[:1]


Enlarge = Callable[[Picture], Picture]


def enlargers(generators: Mapping[str, nn.Module]) -> dict[str, Enlarge]:
    """What enlarges a picture, by way: uint8 (h, w, 3) to uint8 (scale h, scale w, 3)."""
    return {way: partial(upscaler(SCALE), each) for way, each in generators.items()}


def scored(
    generators: Mapping[str, nn.Module],
    ground: StudyData,
    scores: Sequence[str],
    *,
    draw: Draw | None = None,
) -> dict[str, dict[str, float]]:
    """The named scores of bicubic and of every generator, means over the test photographs."""
    images = list(ground.pictures.items())
    table = evaluate(enlargers(generators), images, scale=SCALE, draw=draw)
    return {
        way: {name: values[name] for name in scores if name in values}
        for way, values in means(table).items()
    }
