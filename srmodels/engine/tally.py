"""The means of what steps tell, from one point of the curves to the next."""

from collections.abc import Mapping
from typing import Any

import torch
from torch import Tensor

__all__ = ["Tally"]


class Tally:
    """Sums scalars on their device, so that the host waits for none of them before a point."""

    def __init__(self) -> None:
        self._sums: dict[str, Tensor] = {}
        self._count = 0

    def add(self, scalars: Mapping[str, Tensor]) -> None:
        """Takes one step's scalars; all steps have the same names."""
        for name, value in scalars.items():
            self._sums[name] = self._sums[name] + value if name in self._sums else value
        self._count += 1

    def means(self) -> dict[str, float]:
        """The mean of each since this was last asked; empty where no step came between."""
        means = {name: float(value) / self._count for name, value in self._sums.items()}
        self._sums, self._count = {}, 0
        return means

    def state(self) -> dict[str, Any]:
        """What a checkpoint keeps."""
        return {"sums": self._sums, "count": self._count}

    def load(self, state: Mapping[str, Any], device: torch.device) -> None:
        """Goes on from what `state` gave."""
        self._sums = {name: each.to(device) for name, each in state["sums"].items()}
        self._count = state["count"]
