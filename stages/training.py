"""Trains one phase of the recipe, or profiles a step: the common part of `pretrain` and `gan`."""

import logging
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

import torch
from torch import nn

from srmodels import objectives
from srmodels.engine.phase import Phase, train_phase
from srmodels.engine.profiler import profile_phase
from srmodels.engine.validation import Picture
from srmodels.inference.tiling.upscale import upscaler
from srmodels.objectives.turn import Turn
from srmodels.params import Params
from srmodels.recipe import Adversarial, Pretrain
from stages import PATCHES
from stages.resume import checkpoints
from stages.tracking import logger

log = logging.getLogger(__name__)


def train(
    stage: str,
    params: Params,
    section: Pretrain | Adversarial,
    networks: Callable[[], Mapping[str, nn.Module]],
    *,
    seed: int,
    weights: Path,
    best: Path,
    lpips: Callable[[Picture, Picture], float] | None = None,
    inputs: Sequence[Path] = (),
    profile: bool,
) -> None:
    """Trains a phase to its end, or logs the time of each part of a step (`profile`).

    Args:
        stage: "pretrain" or "gan".
        params: All settings.
        section: The phase's settings.
        networks: Builds the networks by role.
        seed: Seed of batches and initial weights.
        weights: The file of weights to write.
        best: The file of weights with the best validation to write.
        lpips: LPIPS of SR and HR, by which validations then decide; or None.
        inputs: Files of weights that `networks` loads.
        profile: Whether to profile instead of training.
    """
    generator, objective = params.recipe.generator, section.objective
    phase = Phase(
        name=stage,
        settings=section.training,
        seed=seed,
        scale=params.scale,
        patches=PATCHES,
        checkpoints=checkpoints(stage, params, section, inputs),
        network=generator.name,
        network_settings=generator.settings,
        weights=weights,
        paired=objectives.paired(objective.name),
        best=best,
        lpips=lpips,
        own_lr_share=params.data.lr_share if params.data.own_lr else None,
    )

    def turns_of(networks: Mapping[str, nn.Module], device: torch.device) -> Sequence[Turn]:
        return objectives.turns(objective.name, networks, objective.settings, device)

    if profile:
        log.info(profile_phase(phase, networks, turns_of, run=params.run).table())
        return
    with logger(stage, params) as run_logger:
        upscale = upscaler(params.scale)
        train_phase(phase, networks, turns_of, upscale=upscale, run=params.run, logger=run_logger)
