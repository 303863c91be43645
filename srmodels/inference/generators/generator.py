"""A trained network with its scale, tile size and precision."""

from collections.abc import Iterator
from dataclasses import dataclass, replace

import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from srmodels.inference.tiling.device import Engine, Precision, device_of
from srmodels.inference.tiling.openvino import check_engine
from srmodels.inference.tiling.upscale import Picture, concat_rows, upscale, upscale_rows
from srmodels.models._latent import LatentNetwork
from srmodels.resize.tensors import PixelT

__all__ = ["Generator", "with_engine"]


@dataclass(frozen=True, kw_only=True)
class Generator:
    """A callable: RGB (H, W, 3) to (scale H, scale W, 3) with the same dtype.

    Attributes:
        network: In eval mode, on its device; see `upscale_rows`.
        name: The network's module name.
        scale: SR pixels per LR pixel.
        tile: Side of the tiles in LR pixels.
        precision: See `upscale_rows`.
        engine: See `upscale_rows`; samples are PyTorch's.
    """

    network: nn.Module
    name: str
    scale: int
    tile: int = 256
    precision: Precision = "fp32"
    engine: Engine = "torch"

    def __call__(self, lr: NDArray[PixelT]) -> NDArray[PixelT]:
        """Enlarges uint8, uint16, or float32 in [0, 1]; floats are not clamped."""
        return concat_rows(self.rows(lr), lr, self.scale)

    def rows(self, lr: NDArray[PixelT]) -> Iterator[NDArray[PixelT]]:
        """Yields SR in bands of rows from the top down, with little memory."""
        return upscale_rows(
            self.network,
            lr,
            scale=self.scale,
            tile=self.tile,
            precision=self.precision,
            engine=self.engine,
        )

    @property
    def parameters(self) -> int:
        """Number of parameters."""
        return sum(parameter.numel() for parameter in self.network.parameters())

    @property
    def has_samples(self) -> bool:
        """Whether the network is a VAE."""
        return isinstance(self.network, LatentNetwork)

    def sample(
        self,
        lr: Picture,
        *,
        generator: torch.Generator | None = None,
        temperature: float = 1.0,
    ) -> Picture:
        """Enlarges uint8 (H, W, 3) with a latent drawn from a VAE's prior.

        The noise is drawn once on the CPU, and each tile takes its part, so there are no seams.
        `temperature` multiplies the prior's standard deviations; 0 gives SR of the mean.
        """
        network = self.network
        assert isinstance(network, LatentNetwork), f"{self.name} has no samples"
        (height, width), step = lr.shape[:2], network.multiple
        with torch.inference_mode():
            tiny = torch.zeros(1, 3, step, step, device=device_of(network))
            channels = network.prior_of(tiny)[0].mean.shape[1]
        size = (1, channels, -(-height // step), -(-width // step))
        noise = torch.randn(size, generator=generator)

        def sample_tile(tile: Tensor, top: int, left: int) -> Tensor:
            rows = slice(top // step, -(-(top + tile.shape[2]) // step))
            columns = slice(left // step, -(-(left + tile.shape[3]) // step))
            return network.sample(tile, noise=noise[..., rows, columns], temperature=temperature)

        return upscale(
            network,
            lr,
            scale=self.scale,
            tile=self.tile,
            precision=self.precision,
            tile_forward=sample_tile,
        )


def with_engine(generator: Generator, engine: Engine) -> Generator:
    """The same generator, computed by an engine.

    Raises:
        ConfigError: OpenVINO is missing, or cannot run the network where it is.
    """
    if engine == "openvino":
        check_engine(generator.network)
    return replace(generator, engine=engine)
