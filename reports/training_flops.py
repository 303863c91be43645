"""The floating-point operations of a training: one step's, counted by PyTorch, times the steps."""

import dataclasses
from collections.abc import Mapping
from typing import Any

import torch
from torch import nn
from torch.utils.flop_counter import FlopCounterMode

from srmodels import models, objectives
from srmodels.data.batches.batch import Batch
from srmodels.losses.perceptual import PerceptualSettings
from srmodels.objectives.turn import AVERAGE
from srmodels.recipe import Adversarial, Pretrain, Recipe


def _without_download(settings: Any) -> Any:  # noqa: ANN401 - the Settings of an objective
    """The settings with random weights of the perceptual loss, which cost the same."""
    perceptual = getattr(settings, "perceptual", None)
    if not isinstance(perceptual, PerceptualSettings):
        return settings
    return dataclasses.replace(
        settings, perceptual=dataclasses.replace(perceptual, weights="random")
    )


def step_flops(phase: Pretrain | Adversarial, generator: nn.Module) -> int:
    """Of one step: every turn's forward and backward pass; without the optimizer."""
    opponents = getattr(phase, "opponents", {})
    networks = {"generator": generator} | {
        role: models.build(network.name, network.settings) for role, network in opponents.items()
    }
    settings = _without_download(phase.objective.settings)
    averaged = {AVERAGE: generator}  # as much work as its average, where a term needs that
    turns = objectives.turns(
        phase.objective.name, networks | averaged, settings, torch.device("cpu")
    )
    training, scale = phase.training, int(generator.scale)  # type: ignore[arg-type]
    shape = (training.batch_size, 3, training.patch_size, training.patch_size)
    lr = torch.rand(shape)
    hr = torch.rand(*shape[:2], *(scale * side for side in shape[2:]))
    batch, shared = Batch(lr=lr, hr=hr, photos=()), {"step": torch.tensor(0)}
    with FlopCounterMode(display=False) as counter:
        for turn in turns:
            for network in networks.values():
                network.requires_grad_(any(network is one for one in turn.networks))
            loss = torch.stack(list(turn.losses(batch, shared).values())).sum()
            torch.autograd.backward(loss)
    return int(counter.get_total_flops())


def training_flops(recipe: Recipe, steps: Mapping[str, int]) -> int:
    """Of a whole training.

    Args:
        recipe: Networks, objectives, batches.
        steps: Taken in each stage ("pretrain", "gan").
    """
    generator = models.build(recipe.generator.name, recipe.generator.settings)
    phases = {"pretrain": recipe.pretrain, "gan": recipe.adversarial}
    return sum(
        count * step_flops(phase, generator)
        for stage, count in steps.items()
        if (phase := phases[stage]) is not None
    )
