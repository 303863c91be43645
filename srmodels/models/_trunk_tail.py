"""Generators in two parts: a trunk at LR's size and a tail that upsamples.

Inference runs the trunk row by row over the whole picture and the tail, which needs most memory,
in small tiles. Other generators are run in tiles as a whole.
"""

from abc import ABC, abstractmethod

from torch import Tensor, nn


class TrunkTail(nn.Module, ABC):
    """A generator whose `forward` is the trunk, then the tail.

    The trunk consists of stride-1 convolutions with zero padding, pixelwise layers, sums and
    concatenations, and does not depend on the picture's size.
    """

    multiple = 1
    padding: int  # LR pixels on each side that an SR pixel depends on
    trunk_padding: int  # LR pixels on each side that a feature depends on
    tail_padding: int  # pixels of features and LR on each side that an SR pixel depends on

    @abstractmethod
    def features_of(self, lr: Tensor) -> Tensor:
        """The trunk: LR (N, 3, H, W) in [0, 1] to features (N, C, H, W)."""

    @abstractmethod
    def sr_of(self, features: Tensor, lr: Tensor) -> Tensor:
        """The tail: features and LR to SR (N, 3, scale * H, scale * W), not clamped."""

    def forward(self, lr: Tensor) -> Tensor:
        """(N, 3, H, W) in [0, 1] to (N, 3, scale * H, scale * W), not clamped."""
        return self.sr_of(self.features_of(lr), lr)
