"""A trained generator as people use it: load it once, call it with a picture."""

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import torch
from numpy.typing import NDArray
from torch import nn

from srmodels import models, snapshot
from srmodels.errors import ConfigError, WeightsError
from srmodels.inference.device import Precision
from srmodels.inference.interpolation import interpolate
from srmodels.inference.pixels import Kind
from srmodels.inference.sample import sample
from srmodels.inference.upscale import Picture, assembled, margins, rows
from srmodels.models._latent import LatentNetwork
from srmodels.snapshot import Snapshot

__all__ = ["Generator", "compared", "generator_of", "load"]


@dataclass(frozen=True, kw_only=True)
class Generator:
    """A callable: uint8 (H, W, 3) to uint8 (scale H, scale W, 3), RGB.

    Attributes:
        network: In eval mode, on its device.
        name: The network's name, which is its module's.
        scale: How many times larger it makes a picture.
        tile: Side of the tiles in LR pixels.
        precision: "auto", "fp32", "bf16" or "fp16"; see `upscale.rows`.
    """

    network: nn.Module
    name: str
    scale: int
    tile: int = 256
    precision: Precision = "fp32"

    def __call__(self, lr: NDArray[Kind]) -> NDArray[Kind]:
        """Enlarges one picture; 16 bits give 16 bits, floats in [0, 1] give floats, not clamped."""
        return assembled(self.rows(lr), lr, self.scale)

    def rows(self, lr: NDArray[Kind]) -> Iterator[NDArray[Kind]]:
        """The same in bands of SR rows, from top to bottom, with little memory (`upscale.rows`)."""
        padding, multiple = margins(self.network)
        return rows(
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


def _read(path: Path, device: str | torch.device) -> Snapshot:
    read = snapshot.load(path, device=device)
    if read.name not in models.names("generator"):
        raise WeightsError(f"{path}: holds a {read.name}, which enlarges nothing; a generator does")
    return read


def generator_of(read: Snapshot, tile: int, precision: Precision) -> Generator:
    """A snapshot's network as a generator, its memory in the order that is fastest."""
    scale = read.network.scale
    assert isinstance(scale, int), f"{read.name} has a scale"
    if getattr(read.network, "channels_last", True):
        read.network.to(memory_format=torch.channels_last)  # twice as fast on a CPU
    return Generator(
        network=read.network, name=read.name, scale=scale, tile=tile, precision=precision
    )


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
    return generator_of(_read(path, device), tile, precision)


def compared(
    final: Path,
    *,
    pretrained: Path | None = None,
    alpha: float | None = None,
    device: str | torch.device = "cpu",
    tile: int = 256,
    precision: Precision = "fp32",
) -> dict[str, Generator]:
    """Loads what an evaluation compares, by the names of its rows; the final generator is the last.

    Args:
        final: A safetensors file of ours: "generator".
        pretrained: Another: "pretrained". None leaves that row out.
        alpha: The final generator's share in a mixture of both weights: "interpolated" (Wang et
            al., "ESRGAN", 2018, section 3.4). None leaves that row out.
        device: Where they compute.
        tile: Side of the tiles in LR pixels.
        precision: "bf16" computes in bfloat16 where that is deemed safe.

    Raises:
        ConfigError: An alpha is given, but no pretrained weights.
        WeightsError: A file cannot be used, or the two networks differ.
    """
    if alpha is not None and pretrained is None:
        raise ConfigError(
            f"alpha: mixes two files of weights, but only one is given (found {alpha:g}); name the "
            "pretrained one as well"
        )
    rows = {"generator": _read(final, device)}
    if pretrained is not None:
        rows = {"pretrained": _read(pretrained, device), **rows}
        if alpha is not None:
            mixed = interpolate(rows["pretrained"], rows["generator"], alpha)
            rows = {"pretrained": rows["pretrained"], "interpolated": mixed, **rows}
    return {name: generator_of(read, tile, precision) for name, read in rows.items()}
