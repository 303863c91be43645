"""A picture through a network in parts, with the result of the whole picture in one piece.

The picture stays in main memory with its own dtype; the network computes on its device.
"""

from collections.abc import Callable, Iterator

import numpy as np
from numpy.typing import NDArray
from torch import nn

from srmodels.images.writers.row_stream import fill_rows
from srmodels.inference.tiling.device import Engine, Precision, device_of, resolve_precision
from srmodels.inference.tiling.job import TileForward, TilingJob
from srmodels.inference.tiling.openvino import check_engine
from srmodels.inference.tiling.streamed import streamed_rows
from srmodels.inference.tiling.tiled import tiled_rows
from srmodels.models._trunk_tail import TrunkTail
from srmodels.resize.tensors import PixelT

__all__ = ["Picture", "concat_rows", "upscale", "upscale_rows", "upscaler"]

Picture = NDArray[np.uint8]


def upscale_rows(
    network: nn.Module,
    image: NDArray[PixelT],
    *,
    scale: int,
    tile: int = 256,
    precision: Precision = "fp32",
    tile_forward: TileForward | None = None,
    engine: Engine = "torch",
) -> Iterator[NDArray[PixelT]]:
    """Enlarges a picture and yields SR in bands of whole rows, from the top down.

    A network with trunk and tail needs less than 4 GiB for 200 megapixels, others what a tile
    needs. The picture is read in slices and may be a memory-mapped array.

    Args:
        network: float32 (1, 3, H, W) in [0, 1] to (1, 3, scale H, scale W), in eval mode,
            fastest as channels_last. Attributes: `padding`, LR pixels of context around a tile;
            `multiple`, if tiles begin at multiples of this many LR pixels; and `takes_bf16`, if
            "auto" may not be bf16.
        image: RGB (H, W, 3): uint8, uint16, or float32 in [0, 1].
        scale: SR pixels per LR pixel.
        tile: Side of a tile in LR pixels, without padding; halved when memory runs out. With trunk
            and tail, only the tail is tiled, by at most 64 (256 on an accelerator).
        precision: "bf16" and "fp16" use autocast; from a black or not finite tile on, fp32 is used.
            "auto" is bf16 for uint8 on devices that are fast at it, else fp32: bf16's rounding
            shows in 16 bits.
        tile_forward: Replaces `network(lr)` where SR depends on the tile's place.
        engine: "openvino" (the extra `openvino`) computes the trunk of a network that has one, on
            the CPU; "torch" everything.

    Yields:
        (rows, scale W, 3) with the image's dtype; heights differ, floats are not clamped.

    Raises:
        ConfigError: fp16 on a CPU; or OpenVINO is missing, or cannot run the network there.
        WeightsError: SR in fp32 is not finite.
        SrmodelsError: A tile of 32 pixels does not fit into memory.
    """
    resolved = resolve_precision(device_of(network), precision)
    if precision == "auto" and resolved == "bf16":
        exact = image.dtype != np.uint8 or not getattr(network, "takes_bf16", True)
        resolved = "fp32" if exact else resolved
    job = TilingJob(
        network=network,
        image=image,
        scale=scale,
        tile=tile,
        precision=resolved,
        tile_forward=tile_forward,
        engine=engine,
    )
    if engine == "openvino":
        check_engine(network)
    streams = isinstance(network, TrunkTail) and tile_forward is None
    return streamed_rows(job) if streams else tiled_rows(job)


def concat_rows(
    bands: Iterator[NDArray[PixelT]], image: NDArray[PixelT], scale: int
) -> NDArray[PixelT]:
    """The bands of `upscale_rows` as one array, (scale H, scale W, 3)."""
    height, width = image.shape[:2]
    return fill_rows(np.empty((scale * height, scale * width, 3), image.dtype), bands)


def upscale(
    network: nn.Module,
    image: NDArray[PixelT],
    *,
    scale: int,
    tile: int = 256,
    precision: Precision = "fp32",
    tile_forward: TileForward | None = None,
) -> NDArray[PixelT]:
    """Enlarges a picture in memory, as `upscale_rows` does: (scale H, scale W, 3)."""
    bands = upscale_rows(
        network, image, scale=scale, tile=tile, precision=precision, tile_forward=tile_forward
    )
    return concat_rows(bands, image, scale)


def upscaler(
    scale: int, *, tile: int = 256, precision: Precision = "fp32"
) -> Callable[[nn.Module, Picture], Picture]:
    """`upscale` as a function (network, LR) -> SR."""
    return lambda network, lr: upscale(network, lr, scale=scale, tile=tile, precision=precision)
