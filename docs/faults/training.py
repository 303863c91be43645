"""Small trainings: the engine's own step, without its checkpoints, tracking and bf16."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from functools import cache
from pathlib import Path
from typing import Literal, NamedTuple

import torch
from torch import Tensor, nn
from tqdm import tqdm

from docs.faults.ground import SCALE, Ground
from srmodels import models, params
from srmodels.data.batch import Batch
from srmodels.data.source import PatchSource
from srmodels.engine.device import fabric_for, laid_out
from srmodels.engine.fabric import Fabric
from srmodels.engine.optim import (
    Average,
    OptimSettings,
    learning_rate_at,
    optimizer_for,
    set_rate,
)
from srmodels.engine.run_settings import Precision, RunSettings
from srmodels.engine.step import take_step
from srmodels.models.srresnet import Settings
from srmodels.objectives.turn import Turn

__all__ = ["Trained", "batches", "small_generator", "train"]

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


def batches(ground: Ground, *, patch_size: int, batch_size: int = 4) -> PatchSource:
    """Batches of the photographs to train on; the same ones for every way of a fault."""
    return PatchSource(
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
    fabric, network = _fabric(precision), laid_out(network.train())
    taken = turns(fabric.setup_module(network))
    optimizer = fabric.setup_optimizers(optimizer_for((network,), _OPTIMIZER))
    average = Average(network, _OPTIMIZER.ema_decay)
    told: list[dict[str, Tensor]] = []
    for step in tqdm(range(steps), "steps", disable=None, leave=False):
        set_rate(optimizer, learning_rate_at(step, steps, _OPTIMIZER))
        memo = {"step": torch.tensor(step)}
        told.append(take_step(fabric, taken, {"generator": optimizer}, batch(step), memo=memo))
        average.update(network, step)
    curves = {name: [float(each[name]) for each in told] for name in told[0]}
    return Trained(average.network, curves)
