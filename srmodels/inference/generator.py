"""A trained generator as people use it: load it once, call it with a picture."""

from dataclasses import dataclass
from pathlib import Path

import torch
from torch import nn

from srmodels import models, snapshot
from srmodels.errors import WeightsError
from srmodels.inference.device import Precision
from srmodels.inference.upscale import Picture, upscaler

__all__ = ["Generator", "load"]


@dataclass(frozen=True, kw_only=True)
class Generator:
    """A callable: uint8 (H, W, 3) to uint8 (scale H, scale W, 3), RGB.

    Attributes:
        network: In eval mode, on its device.
        name: The network's name, which is its module's.
        scale: How many times larger it makes a picture.
        tile: Side of the tiles in LR pixels.
        precision: "fp32" or "bf16".
    """

    network: nn.Module
    name: str
    scale: int
    tile: int = 256
    precision: Precision = "fp32"

    def __call__(self, lr: Picture) -> Picture:
        """Enlarges one picture."""
        return upscaler(self.scale, tile=self.tile, precision=self.precision)(self.network, lr)

    @property
    def parameters(self) -> int:
        """How many numbers training adjusted."""
        return sum(each.numel() for each in self.network.parameters())


def load(
    path: Path,
    *,
    device: str | torch.device = "cpu",
    tile: int = 256,
    precision: Precision = "fp32",
) -> Generator:
    """Loads a generator that the pipeline wrote.

    Args:
        path: A safetensors file of ours.
        device: Where it computes.
        tile: Side of the tiles in LR pixels.
        precision: "bf16" computes in bfloat16 where that is deemed safe.

    Raises:
        WeightsError: The file cannot be used, or holds a network that enlarges nothing.
    """
    read = snapshot.load(path, device=device)
    if read.name not in models.names("generator"):
        raise WeightsError(f"{path}: holds a {read.name}, which enlarges nothing; a generator does")
    scale = read.network.scale
    assert isinstance(scale, int), f"{read.name} has a scale"
    return Generator(
        network=read.network, name=read.name, scale=scale, tile=tile, precision=precision
    )
