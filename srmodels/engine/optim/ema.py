"""srmodels/engine/optim/ema.py."""

import copy

import torch
from torch import Tensor, nn

__all__ = ["EMA"]


class EMA:
    """A running average of a network's parameters and buffers, batch-norm statistics included.

    The decay is lowered in the first steps to (1 + step) / (10 + step), so that the random start is
    soon forgotten (as in TensorFlow's ExponentialMovingAverage).
    """

    def __init__(self, network: nn.Module, decay: float) -> None:
        self.decay = decay
        self.network = copy.deepcopy(network).eval().requires_grad_(requires_grad=False)

    @torch.no_grad()
    def update(self, network: nn.Module, step: int) -> None:
        """Moves the average towards `network` as it stands after step `step` (from 0)."""
        weight = 1 - min(self.decay, (1 + step) / (10 + step)) if self.decay else 1.0
        ours, theirs = self._tensors(self.network), self._tensors(network)
        floating = [tensor.is_floating_point() for tensor in ours]
        averaged = [tensor for tensor, is_float in zip(ours, floating, strict=True) if is_float]
        towards = [tensor for tensor, is_float in zip(theirs, floating, strict=True) if is_float]
        torch._foreach_lerp_(averaged, towards, weight)
        for mine, its, is_float in zip(ours, theirs, floating, strict=True):
            if not is_float:  # such as the number of batches a batch norm has seen
                mine.copy_(its)

    @staticmethod
    def _tensors(network: nn.Module) -> list[Tensor]:
        return [*network.parameters(), *network.buffers()]
