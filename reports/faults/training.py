"""Small trainings for the faults: the engine's step without checkpoints, tracking and bf16."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from functools import cache, partial
from typing import Literal, NamedTuple

import torch
from torch import Tensor, nn
from tqdm import tqdm

from reports.command_line import ROOT
from reports.faults.case import SCALE, StudyData
from srmodels import models, params
from srmodels.data.batches.batch import Batch
from srmodels.data.batches.paired import PatchSampler
from srmodels.engine.fabric import Fabric
from srmodels.engine.optim.ema import EMA
from srmodels.engine.optim.optimizer import OptimSettings, optimizer_for
from srmodels.engine.optim.schedule import learning_rate_at, set_rate
from srmodels.engine.precision import fabric_for, to_channels_last
from srmodels.engine.settings import Precision, RunSettings
from srmodels.engine.step import take_step
from srmodels.evaluation.means import means
from srmodels.evaluation.perceptual import open_perceptual
from srmodels.evaluation.samples import Draw
from srmodels.evaluation.scores import Upscaler, evaluate
from srmodels.inference.tiling.upscale import upscaler
from srmodels.losses.perceptual import Perceptual, PerceptualSettings
from srmodels.models.srresnet import Settings
from srmodels.objectives.gan import GanWeights, gan_turns
from srmodels.objectives.gan import Settings as GanSettings
from srmodels.objectives.turn import Turn

SIDE = 16  # of a crop in LR pixels, because VGG19 takes most of the time
_OPTIMIZER = OptimSettings(learning_rate=1e-3, betas=(0.9, 0.99), schedule="cosine", ema_decay=0.99)


class Trained(NamedTuple):
    """The average of the weights in eval mode, and the scalars of every step by name."""

    network: nn.Module
    curves: Mapping[str, Sequence[float]]


def small_generator(residual: Literal["none", "bicubic"] = "bicubic") -> nn.Module:
    """The quickstart srresnet with half its blocks; the same weights on every call."""
    torch.manual_seed(0)
    small = params.load(ROOT / "params.yaml", model="srresnet", preset="quickstart")
    generator = small.recipe.generator
    assert isinstance(generator.settings, Settings)
    blocks = generator.settings.num_blocks // 2
    settings = replace(generator.settings, num_blocks=blocks, residual=residual)
    return models.build(generator.name, settings)


def batches(data: StudyData, *, patch_size: int, batch_size: int = 4) -> PatchSampler:
    """Training batches; the same for every variant of a fault."""
    return PatchSampler(
        data.store,
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
    """Trains `network` in place on the batches of `batch`(step), with one seed for all."""
    torch.manual_seed(0)
    fabric, network = _fabric(precision), to_channels_last(network.train())
    objective_turns = turns(fabric.setup_module(network))
    optimizer = fabric.setup_optimizers(optimizer_for((network,), _OPTIMIZER))
    average = EMA(network, _OPTIMIZER.ema_decay)
    scalars: list[dict[str, Tensor]] = []
    for step in tqdm(range(steps), "steps", disable=None, leave=False):
        set_rate(optimizer, learning_rate_at(step, steps, _OPTIMIZER))
        shared = {"step": torch.tensor(step)}
        scalars.append(
            take_step(fabric, objective_turns, {"generator": optimizer}, batch(step), shared=shared)
        )
        average.update(network, step)
    curves = {name: [float(values[name]) for values in scalars] for name in scalars[0]}
    return Trained(average.network, curves)


def vgg_settings(layer: str) -> PerceptualSettings:
    """One layer of VGG16 with ImageNet's weights."""
    return PerceptualSettings(network="vgg16", layers={layer: 1.0}, feature_scale=1.0)


def generator_turn(
    generator: nn.Module, *, loss: Perceptual | None = None, pixel: float = 1.0
) -> tuple[Turn, ...]:
    """The generator's turn of a GAN without an adversarial term, with L1 of weight `pixel`."""
    weights = GanWeights(pixel=pixel, perceptual=0.0 if loss is None else 1.0, adversarial=0.0)
    settings = GanSettings(
        pixel_loss="l1", weights=weights, perceptual=None if loss is None else loss.settings
    )
    return gan_turns(generator, nn.Identity(), settings, loss)[:1]


def upscalers(networks: Mapping[str, nn.Module]) -> dict[str, Upscaler]:
    """Functions from LR to SR, uint8 (H, W, 3), by variant."""
    return {name: partial(upscaler(SCALE), network) for name, network in networks.items()}


def score_networks(
    networks: Mapping[str, nn.Module],
    data: StudyData,
    scores: Sequence[str],
    *,
    draw: Draw | None = None,
) -> dict[str, dict[str, float]]:
    """Mean scores of bicubic and of every network on the test photographs, by variant."""
    images = list(data.pictures.items())
    perceptual = open_perceptual(only_lpips=True) if "lpips" in scores else None
    table = evaluate(upscalers(networks), images, scale=SCALE, draw=draw, perceptual=perceptual)
    return {
        name: {score: row[score] for score in scores if score in row}
        for name, row in means(table).items()
    }
