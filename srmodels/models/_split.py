"""A convolutional generator's two parts: its trunk at LR's size and the tail that enlarges.

Upscaling runs them apart: the trunk from row to row of the whole picture, the tail, which takes
most of the memory, in small tiles. A generator need not be one: others go through in whole tiles.
"""

from typing import Protocol, runtime_checkable

from torch import Tensor

__all__ = ["Split"]


@runtime_checkable
class Split(Protocol):
    """What such a generator has: `sr_of(features_of(lr), lr)` is `forward(lr)`.

    The trunk is made of stride-1 convolutions with zero padding, of what works on each pixel by
    itself, and of sums and concatenations; nothing in it depends on the picture's size or values.

    Attributes:
        trunk_padding: LR pixels on either side of a feature that it depends on.
        tail_padding: The same of features, and of LR in the tail, for an SR pixel.
    """

    trunk_padding: int
    tail_padding: int

    def features_of(self, lr: Tensor) -> Tensor:
        """(N, 3, H, W) in [0, 1] to (N, C, H, W)."""

    def sr_of(self, features: Tensor, lr: Tensor) -> Tensor:
        """Features (N, C, H, W) and their LR to (N, 3, scale * H, scale * W), not clamped."""
