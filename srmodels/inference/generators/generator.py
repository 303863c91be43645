"""A trained generator as people use it: load it once, call it with a picture."""

from collections.abc import Iterator
from dataclasses import dataclass

import torch
from numpy.typing import NDArray
from torch import nn

from srmodels.inference.generators.sample import sample
from srmodels.inference.tiling.device import Precision
from srmodels.inference.tiling.pixels import Kind
from srmodels.inference.tiling.upscale import Picture, concat_rows, tile_margins, upscale_rows
from srmodels.models._latent import LatentNetwork

__all__ = ["Generator"]


@dataclass(frozen=True, kw_only=True)
class Generator:
    """A callable: uint8 (H, W, 3) to uint8 (scale H, scale W, 3), RGB.

    Attributes:
        network: In eval mode, on its device.
        name: The network's name, which is its module's.
        scale: How many times larger it makes a picture.
        tile: Side of the tiles in LR pixels.
        precision: "auto", "fp32", "bf16" or "fp16"; see `upscale.upscale_rows`.
    """

    network: nn.Module
    name: str
    scale: int
    tile: int = 256
    precision: Precision = "fp32"

    def __call__(self, lr: NDArray[Kind]) -> NDArray[Kind]:
        """Enlarges one picture; 16 bits give 16 bits, floats in [0, 1] give floats, not clamped."""
        return concat_rows(self.rows(lr), lr, self.scale)

    def rows(self, lr: NDArray[Kind]) -> Iterator[NDArray[Kind]]:
        """The same in bands of SR rows, top to bottom, with little memory (`upscale_rows`)."""
        padding, multiple = tile_margins(self.network)
        return upscale_rows(
            self.network,
            lr,
            scale=self.scale,
            padding=padding,
            multiple=multiple,
            tile=self.tile,
            precision=self.precision,
        )

    @property
    def parameters(self) -> int:
        """How many numbers training adjusted."""
        return sum(each.numel() for each in self.network.parameters())

    @property
    def has_samples(self) -> bool:
        """Whether it is a VAE, which has other pictures than the most likely one."""
        return isinstance(self.network, LatentNetwork)

    def sample(
        self,
        lr: Picture,
        *,
        generator: torch.Generator | None = None,
        temperature: float = 1.0,
    ) -> Picture:
        """Enlarges one picture with a latent drawn for it; another one on every call.

        Args:
            lr: uint8 (H, W, 3), RGB.
            generator: Of the CPU; None is PyTorch's own.
            temperature: What the latent's standard deviations are multiplied by.
        """
        assert isinstance(self.network, LatentNetwork), f"{self.name} has no samples"
        return sample(
            self.network,
            lr,
            generator=generator,
            temperature=temperature,
            tile=self.tile,
            precision=self.precision,
        )
