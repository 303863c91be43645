"""The exponential moving average (EMA) of a network's weights."""

import copy

import torch
from torch import Tensor, nn


class EMA:
    """An exponential moving average of a network's parameters and floating-point buffers.

    The decay per step is at most (1 + step) / (10 + step), so that the average soon forgets the
    random start (as in TensorFlow's ExponentialMovingAverage); 0 means no averaging. `network` is a
    copy in eval mode that holds the average.
    """

    def __init__(self, network: nn.Module, decay: float) -> None:
        self.decay = decay
        self.network = copy.deepcopy(network).eval().requires_grad_(requires_grad=False)

    @torch.no_grad()
    def update(self, network: nn.Module, step: int) -> None:
        """Moves the average towards `network` as it is after step `step` (from 0)."""
        weight = 1 - min(self.decay, (1 + step) / (10 + step)) if self.decay else 1.0
        averages: list[Tensor] = []
        targets: list[Tensor] = []
        for average, target in zip(_tensors(self.network), _tensors(network), strict=True):
            if average.is_floating_point():
                averages.append(average)
                targets.append(target)
            else:  # such as the number of batches a batch norm has seen
                average.copy_(target)
        torch._foreach_lerp_(averages, targets, weight)


def _tensors(network: nn.Module) -> list[Tensor]:
    return [*network.parameters(), *network.buffers()]
