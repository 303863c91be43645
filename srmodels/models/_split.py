"""Generators that can be run in two parts: a trunk at LR's size and an upsampling tail.

Inference runs the trunk row by row over the whole picture and the tail, which needs most memory,
in small tiles. Other generators are run in tiles as a whole.
"""

from typing import Protocol, runtime_checkable

from torch import Tensor


@runtime_checkable
class Split(Protocol):
    """A generator for which `sr_of(features_of(lr), lr)` equals `forward(lr)`.

    The trunk consists of stride-1 convolutions with zero padding, pixelwise layers, sums and
    concatenations, and does not depend on the picture's size.
    """

    trunk_padding: int  # LR pixels on each side that a feature depends on
    tail_padding: int  # pixels of features and LR on each side that an SR pixel depends on

    def features_of(self, lr: Tensor) -> Tensor:
        """The trunk: LR (N, 3, H, W) in [0, 1] to features (N, C, H, W)."""

    def sr_of(self, features: Tensor, lr: Tensor) -> Tensor:
        """The tail: features (N, C, H, W) and LR to SR (N, 3, scale * H, scale * W), unclamped."""
