"""A training step of the public trainer that ESRGAN, SwinIR, HAT and others come with.

BasicSR, https://github.com/XPixelGroup/BasicSR: `train.py` (cuDNN chooses kernels by trying them),
`models/base_model.py` (float32, a value of each loss read at each step, a mean of the weights,
parameter by parameter) and options/train (six workers). Its networks and files are those of the
plain trainer here.
"""

import copy
from collections.abc import Mapping
from pathlib import Path
from typing import Any, ClassVar

import torch

from benchmarks.networks import Size
from benchmarks.steps import Plain

WORKERS = 6
_DECAY = 0.999


class Public(Plain):
    """The plain trainer with what BasicSR does besides."""

    loaders: ClassVar[Mapping[int, Mapping[str, Any]]] = {WORKERS: {}}

    def __init__(self, work: str, folder: Path, device: torch.device, size: Size) -> None:
        torch.backends.cudnn.benchmark = True
        super().__init__(work, folder, device, size)
        self._average = copy.deepcopy(self.generator)

    @torch.no_grad()
    def _update_average(self) -> None:
        pairs = zip(self._average.parameters(), self.generator.parameters(), strict=True)
        for average, parameter in pairs:
            average.mul_(_DECAY).add_(parameter, alpha=1 - _DECAY)

    def step(self, workers: int) -> float:
        """A plain step and the update of the averaged weights."""
        waited = super().step(workers)
        self._update_average()
        return waited
