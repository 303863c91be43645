"""A whole picture through a generator, in parts, exactly as if in one piece.

The picture stays in main memory in its own kind of numbers; what is computed is on the network's
device. How it is cut is the network's affair: `streamed` for those with trunk and tail, `tiles` for
all others.
"""

from collections.abc import Callable, Iterable, Iterator

import numpy as np
from numpy.typing import NDArray
from torch import nn

from srmodels.inference.tiling.device import Precision, device_of, resolve_precision
from srmodels.inference.tiling.job import Enlarger, TilingJob
from srmodels.inference.tiling.pixels import Kind
from srmodels.inference.tiling.streamed import streamed_rows
from srmodels.inference.tiling.tiled import tiled_rows
from srmodels.models._split import Split

__all__ = [
    "Enlarger",
    "Picture",
    "concat_rows",
    "tile_margins",
    "upscale",
    "upscale_rows",
    "upscaler",
]

Picture = NDArray[np.uint8]


def upscale_rows(
    network: nn.Module,
    image: NDArray[Kind],
    *,
    scale: int,
    padding: int,
    multiple: int = 1,
    tile: int = 256,
    precision: Precision = "fp32",
    enlarger: Enlarger | None = None,
) -> Iterator[NDArray[Kind]]:
    """Enlarges a picture, handing out SR from top to bottom in bands of whole rows.

    With trunk and tail, memory hardly grows with the picture: less than 4 GiB for 200 megapixels by
    the deepest network of ours. Other networks take what a tile of theirs takes. The picture is
    read by slices and may be a memory-mapped array.

    Args:
        network: float32 (1, 3, H, W) in [0, 1] to (1, 3, scale H, scale W), in eval mode; computes
            on the device its parameters are on, fastest when they are channels_last.
        image: (H, W, 3), RGB: uint8, uint16, or float32 in [0, 1].
        scale: How many times larger the network makes a picture.
        padding: LR pixels around a tile that its inside depends on.
        multiple: A tile's place is a multiple of so many LR pixels.
        tile: Side of a tile in LR pixels, without its padding; halved, with a warning, when memory
            does not suffice. A network with trunk and tail is tiled in its tail alone, by 64 (256
            on an accelerator) or by this if it is less.
        precision: "bf16" and "fp16" compute in these where PyTorch's autocast deems it safe; should
            a tile become black or not finite by it, it and what follows are computed in fp32, with
            a warning. "auto" is bf16 for uint8 where the device is fast at it, fp32 otherwise: what
            bf16 rounds off would show in 16 bits.
        enlarger: What makes SR where it depends on the tile's place; None is the network itself.

    Yields:
        (rows, scale W, 3) of the image's kind, together scale H rows; bands differ in height, and
        each is the caller's own. Floats are not clamped.

    Raises:
        ConfigError: fp16 is wanted on the CPU.
        WeightsError: The network's output is not finite in float32.
        SrmodelsError: Memory does not suffice for a tile of 32 either.
    """
    if precision == "auto" and image.dtype != np.uint8:
        precision = "fp32"
    job = TilingJob(
        network=network,
        image=image,
        scale=scale,
        padding=padding,
        multiple=multiple,
        tile=tile,
        precision=resolve_precision(device_of(network), precision),
        enlarger=enlarger,
    )
    return streamed_rows(job) if isinstance(network, Split) and not enlarger else tiled_rows(job)


def concat_rows(bands: Iterable[NDArray[Kind]], image: NDArray[Kind], scale: int) -> NDArray[Kind]:
    """The bands that `upscale_rows` hands out of a picture, as one: (scale H, scale W, 3)."""
    height, width = image.shape[:2]
    result = np.empty((scale * height, scale * width, 3), image.dtype)
    done = 0
    for band in bands:
        result[done : done + len(band)] = band
        done += len(band)
    return result


def upscale(
    network: nn.Module,
    image: NDArray[Kind],
    *,
    scale: int,
    padding: int,
    multiple: int = 1,
    tile: int = 256,
    precision: Precision = "fp32",
    enlarger: Enlarger | None = None,
) -> NDArray[Kind]:
    """Enlarges a picture in memory.

    Takes and raises what `upscale_rows` does.

    Returns:
        (scale H, scale W, 3) of the image's kind.
    """
    bands = upscale_rows(
        network,
        image,
        scale=scale,
        padding=padding,
        multiple=multiple,
        tile=tile,
        precision=precision,
        enlarger=enlarger,
    )
    return concat_rows(bands, image, scale)


def tile_margins(network: nn.Module) -> tuple[int, int]:
    """The `padding` and the `multiple` that a network says it needs."""
    padding, multiple = getattr(network, "padding", None), getattr(network, "multiple", 1)
    assert isinstance(padding, int), f"{type(network).__name__} has no padding"
    assert isinstance(multiple, int), f"{type(network).__name__}'s multiple is no number"
    return padding, multiple


def upscaler(
    scale: int, *, tile: int = 256, precision: Precision = "fp32"
) -> Callable[[nn.Module, Picture], Picture]:
    """`upscale` for networks that say themselves what padding they need: (network, LR) to SR."""

    def enlarged(network: nn.Module, image: Picture) -> Picture:
        padding, multiple = tile_margins(network)
        return upscale(
            network,
            image,
            scale=scale,
            padding=padding,
            multiple=multiple,
            tile=tile,
            precision=precision,
        )

    return enlarged
