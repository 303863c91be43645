"""Windows of a picture, for attention inside them (Swin Transformer, arXiv:2103.14030)."""

import torch
from torch import Tensor

_MASKED = -100.0  # added to attention logits; e^-100 is 0


def relative_positions(size: int) -> Tensor:
    """(size^2, size^2): row of the bias table for each pair of pixels in a window."""
    position = torch.arange(size)
    offset = position[:, None] - position[None, :] + size - 1
    pairs = offset[:, None, :, None] * (2 * size - 1) + offset[None, :, None, :]
    return pairs.reshape(size**2, size**2)


def to_windows(images: Tensor, size: int) -> Tensor:
    """(N, H, W, C) to (N, windows, size^2, C)."""
    n, height, width, channels = images.shape
    windows = images.reshape(n, height // size, size, width // size, size, channels)
    return windows.transpose(2, 3).reshape(n, -1, size**2, channels)


def from_windows(windows: Tensor, size: int, height: int, width: int) -> Tensor:
    """The inverse of `to_windows`."""
    n, _, _, channels = windows.shape
    windows = windows.reshape(n, height // size, width // size, size, size, channels)
    return windows.transpose(2, 3).reshape(n, height, width, channels)


def seam_mask(height: int, width: int, size: int, like: Tensor) -> Tensor:
    """(windows, size^2, size^2): mask (0 or -100) between edges that rolling joins (figure 4)."""
    rows, columns = (
        torch.arange(side, device=like.device)[:, None]
        .ge(torch.tensor([side - size, side - size // 2], device=like.device))
        .sum(1)
        for side in (height, width)
    )
    parts = to_windows((3 * rows[:, None] + columns[None, :])[None, :, :, None], size)[0, :, :, 0]
    return (parts[:, :, None] != parts[:, None, :]).to(like.dtype) * _MASKED


def mirror_to_multiple(images: Tensor, size: int) -> Tensor:
    """Pads bottom and right to multiples of `size` by reflection, repeated for small pictures."""
    for axis in (-2, -1):
        side = images.shape[axis]
        period = max(2 * side - 2, 1)
        index = torch.arange((side + size - 1) // size * size, device=images.device) % period
        images = images.index_select(axis, torch.where(index < side, index, period - index))
    return images
