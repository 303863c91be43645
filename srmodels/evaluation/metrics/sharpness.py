"""Gradient energy of SR over that of HR: below 1 is blurred, above 1 is too sharp or noisy."""

from torch import Tensor

from srmodels.evaluation.metrics.luma import UNITS

_FLOOR = 1e-6  # squared grey levels; two flat pictures are equally sharp


def _energy(plane: Tensor) -> float:
    """The mean squared difference to the neighbour below plus that to the right."""
    y = plane.float() / UNITS
    down, right = y.diff(dim=0), y.diff(dim=1)
    return sum(step.square_().double().mean().item() for step in (down, right) if step.numel())


def sharpness(sr: Tensor, hr: Tensor) -> float:
    """`sr`'s energy over `hr`'s, planes of `luma_pair`; 0.05 to 0.35 for bicubic at x4."""
    return (_energy(sr) + _FLOOR) / (_energy(hr) + _FLOOR)
