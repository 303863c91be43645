"""What a discriminator sees: a window at a random place, so that no grid stands still."""

import torch
from torch import Tensor

__all__ = ["shifted"]


def shifted(shift: int, *images: Tensor) -> tuple[Tensor, ...]:
    """The same random window of all images, `shift` pixels smaller; PyTorch's own CPU generator."""
    if not shift:
        return images
    top, left = (int(each) for each in torch.randint(0, shift + 1, (2,)))
    height, width = (side - shift for side in images[0].shape[-2:])
    return tuple(each[..., top : top + height, left : left + width] for each in images)
