"""Optimizers and their settings."""

from dataclasses import dataclass
from typing import Literal

import torch
from torch import nn

from srmodels.config import check_least
from srmodels.engine.optim.muon import Muon


@dataclass(frozen=True, kw_only=True)
class OptimSettings:
    """Adam (Kingma & Ba, ICLR 2015), with or without Muon, and its schedule; for every player."""

    learning_rate: float = 1e-4  # the highest rate, reached after the warm-up
    # The highest rate of hidden layers, which Muon then trains instead of Adam
    # (`srmodels.engine.optim.muon`); 0 means Adam alone. The schedule is the same.
    muon_learning_rate: float = 0.0
    # Multiplies the rates of discriminators (two time scales, Heusel et al. 2017, arXiv:1706.08500,
    # section 1): above 1 where a trained generator meets new discriminators
    discriminator_factor: float = 1.0
    # decay of the running means of gradients and of squared gradients
    betas: tuple[float, float] = (0.9, 0.999)
    # "constant"; "cosine" from the highest rate to `final_learning_rate`; or "halving" at each step
    # in `milestones` (with `milestone_factor` 0.1, a tenth)
    schedule: Literal["constant", "cosine", "halving"] = "constant"
    final_learning_rate: float = 0.0  # the last rate of the cosine
    # steps at which "halving" multiplies the rate by `milestone_factor`
    milestones: tuple[int, ...] = ()
    milestone_factor: float = 0.5  # the factor of each milestone
    warmup_steps: int = 0  # steps of a linear rise from 0; 0 means none
    clip_norm: float = 0.0  # largest L2 norm of a player's gradient; 0 means no clipping
    # decay per step of the generator's exponential moving average; 0 means none
    ema_decay: float = 0.0

    def __post_init__(self) -> None:
        if not 0 < self.learning_rate < 1:
            raise ValueError("learning_rate must lie between 0 and 1")
        if not 0 <= self.muon_learning_rate < 1:
            raise ValueError("muon_learning_rate must lie in [0, 1)")
        if self.discriminator_factor <= 0:
            raise ValueError("discriminator_factor must be above 0")
        if not all(0 <= beta < 1 for beta in self.betas):
            raise ValueError("betas must lie in [0, 1)")
        if not 0 <= self.ema_decay < 1:
            raise ValueError("ema_decay must lie in [0, 1)")
        check_least(self, 0, "warmup_steps", "clip_norm", "final_learning_rate")
        if bool(self.milestones) != (self.schedule == "halving"):
            raise ValueError("milestones and schedule: halving belong together")


def optimizer_for(
    networks: tuple[nn.Module, ...], settings: OptimSettings, *, factor: float = 1.0
) -> torch.optim.Adam:
    """One player's optimizer, fused if possible; a group's "factor" multiplies the rate."""
    parameters = [parameter for network in networks for parameter in network.parameters()]
    devices = {parameter.device.type for parameter in parameters}
    optimizer: torch.optim.Adam
    if settings.muon_learning_rate:
        optimizer = Muon(
            parameters,
            lr=settings.learning_rate,
            hidden_lr=settings.muon_learning_rate,
            betas=settings.betas,
            fused=devices == {"cpu"} or None,  # with a loss scale, fused steps skip themselves
        )
    else:
        fused = devices <= {"cuda", "cpu"} or None
        optimizer = torch.optim.Adam(
            parameters, lr=settings.learning_rate, betas=settings.betas, fused=fused
        )
    for group in optimizer.param_groups:
        group["factor"] = group.get("factor", 1.0) * factor
    return optimizer
