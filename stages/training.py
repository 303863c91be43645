"""What the two training stages do alike with the phase that they describe."""

import logging
from collections.abc import Callable, Mapping, Sequence

import torch
from torch import nn

from srmodels import objectives
from srmodels.engine.phase import Phase, train_phase
from srmodels.engine.profiler import profile_phase
from srmodels.inference.tiling.upscale import upscaler
from srmodels.objectives.turn import Turn
from srmodels.params import Params
from srmodels.recipe import Objective
from stages.tracking import watcher

__all__ = ["train"]

log = logging.getLogger(__name__)


def train(
    phase: Phase,
    networks: Callable[[], Mapping[str, nn.Module]],
    objective: Objective,
    settings: Params,
    *,
    profile: bool,
) -> bool:
    """Trains a phase to its end, or tells where a step's time goes instead.

    Args:
        phase: What is trained.
        networks: Makes the networks that it begins with, by role.
        objective: What they descend.
        settings: Of the whole run.
        profile: Whether to tell, and to train nothing.

    Returns:
        Whether there are results now.
    """

    def turns_of(networks: Mapping[str, nn.Module], device: torch.device) -> Sequence[Turn]:
        return objectives.turns(objective.name, networks, objective.settings, device)

    if profile:
        log.info(profile_phase(phase, networks, turns_of, run=settings.run).table())
        return False
    with watcher(phase.name, settings) as told:
        train_phase(
            phase,
            networks,
            turns_of,
            upscale=upscaler(settings.scale),
            run=settings.run,
            logger=told,
        )
    return True
