"""What the terms of several objectives share: checks of settings and random crops."""

import torch
from torch import Tensor


def check_weights(*weights: float) -> None:
    """Raises ValueError unless all weights are 0 or more and one is above 0."""
    if min(weights) < 0 or max(weights) == 0:
        raise ValueError("weights must be 0 or more, and one of them above 0")


def check_perceptual(weight: float, settings: object | None) -> None:
    """Raises ValueError if a perceptual term has a weight but no settings."""
    if weight > 0 and settings is None:
        raise ValueError("perceptual must be given where weights.perceptual is above 0")


def random_crop(shift: int, *images: Tensor) -> tuple[Tensor, ...]:
    """Crops all images at one random place, `shift` pixels off each axis; draws on the CPU."""
    if not shift:
        return images
    top, left = (int(offset) for offset in torch.randint(0, shift + 1, (2,)))
    height, width = (side - shift for side in images[0].shape[-2:])
    return tuple(image[..., top : top + height, left : left + width] for image in images)
