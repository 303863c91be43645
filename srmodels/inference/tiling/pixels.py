"""Pixels of a file's kind to the network's tensors and back: 8 bit, 16 bit and float."""

from typing import TypeVar

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

__all__ = ["Kind", "to_lr", "to_pixels"]

Kind = TypeVar("Kind", bound=np.uint8 | np.uint16 | np.float32)
_WHITE = {np.dtype(np.uint8): 255, np.dtype(np.uint16): 65535, np.dtype(np.float32): 1}


def _white(kind: "np.dtype[Kind]") -> int:
    assert kind in _WHITE, f"found {kind}; uint8, uint16 and float32 are right"
    return _WHITE[kind]


def to_lr(pixels: NDArray[Kind]) -> Tensor:
    """A part of a picture as a batch of one, float32 (1, 3, H, W) in [0, 1].

    Args:
        pixels: (H, W, 3), uint8, uint16, or float32 in [0, 1].
    """
    values = torch.from_numpy(pixels.astype(np.float32)).permute(2, 0, 1)
    return values[None] / _white(pixels.dtype)


def to_pixels(sr: Tensor, kind: "np.dtype[Kind]") -> NDArray[Kind]:
    """The inverse of `to_lr`: (1, 3, H, W) to (H, W, 3) in main memory.

    Whole numbers are clamped to [0, 1] before and rounded half up; floats stay as they are, so that
    what a network puts beyond black and white is not lost to whoever goes on computing.
    """
    values = sr[0].float().permute(1, 2, 0)
    if kind != np.float32:
        values = values.clamp(0, 1).mul(_white(kind)).add(0.5).floor()
    if kind == np.uint8:
        values = values.to(torch.uint8)
    return values.cpu().contiguous().numpy().astype(kind, copy=False)
