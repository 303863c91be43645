"""Learning-rate schedules."""

import math

import torch

from srmodels.engine.optim.optimizer import OptimSettings


def learning_rate_at(step: int, steps: int, settings: OptimSettings) -> float:
    """The learning rate of step `step` (from 0) of `steps`."""
    rate = settings.learning_rate
    if step < settings.warmup_steps:
        return rate * (step + 1) / settings.warmup_steps
    if settings.schedule == "cosine":
        progress = (step - settings.warmup_steps) / max(1, steps - settings.warmup_steps)
        low = settings.final_learning_rate
        return low + (rate - low) * (1 + math.cos(math.pi * progress)) / 2
    passed = sum(step >= milestone for milestone in settings.milestones)
    return rate * settings.milestone_factor**passed


def set_rate(optimizer: torch.optim.Optimizer, rate: float) -> None:
    """Sets the schedule's rate, times the factor of each group that has one."""
    for group in optimizer.param_groups:
        group["lr"] = rate * group.get("factor", 1.0)
