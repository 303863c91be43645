"""A whole picture through a generator, in tiles where it is large, exactly as if in one piece.

A tile is read with `padding` LR pixels around it, the half-width of the generator's receptive
field, and only its inside is written: no seams, and nothing to blend. The picture stays in main
memory as uint8, one tile at a time is on the network's device.
"""

import logging
from collections.abc import Callable
from typing import NamedTuple

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from srmodels.errors import SrmodelsError
from srmodels.inference.device import Precision, computing, home_of, is_out_of_memory
from srmodels.resize import to_image, to_tensor

__all__ = ["Enlarger", "Picture", "upscale", "upscaler"]

log = logging.getLogger(__name__)

Picture = NDArray[np.uint8]
Enlarger = Callable[[Tensor, int, int], Tensor]  # LR, its top and its left in the picture, to SR
_LEAST_TILE = 32  # LR pixels


class _Box(NamedTuple):
    """A rectangle in LR pixels; bottom and right lie outside."""

    top: int
    left: int
    bottom: int
    right: int

    def split(self, tile: int, multiple: int) -> "list[_Box]":
        """Rectangles of at most `tile` a side, much alike in size, that cover this one."""
        tall = _even(self.bottom - self.top, tile, multiple)
        wide = _even(self.right - self.left, tile, multiple)
        return [
            _Box(y, x, min(y + tall, self.bottom), min(x + wide, self.right))
            for y in range(self.top, self.bottom, tall)
            for x in range(self.left, self.right, wide)
        ]


def _even(length: int, tile: int, multiple: int) -> int:
    """The side of tiles that share a length evenly: slivers would be mostly padding."""
    count = -(-length // max(multiple, tile // multiple * multiple))
    return -(-length // count // multiple) * multiple


class _Work:
    """One picture on its way through a network."""

    def __init__(
        self,
        network: nn.Module,
        image: Picture,
        *,
        scale: int,
        padding: int,
        multiple: int,
        precision: Precision,
        enlarger: Enlarger | None,
    ) -> None:
        self.network, self.image, self.scale = network, image, scale
        self.enlarger = enlarger
        self.padding, self.multiple, self.precision = padding, multiple, precision
        height, width = image.shape[:2]
        self.result = np.empty((scale * height, scale * width, 3), np.uint8)

    def _around(self, box: _Box) -> _Box:
        """The box with its padding, as far as there is picture; begins at a multiple."""
        height, width = self.image.shape[:2]
        top, left = (
            max(0, start - self.padding) // self.multiple * self.multiple for start in box[:2]
        )
        bottom, right = box.bottom + self.padding, box.right + self.padding
        return _Box(top, left, min(height, bottom), min(width, right))

    def _enlarged(self, read: _Box) -> Picture:
        lr = to_tensor(self.image[read.top : read.bottom, read.left : read.right])
        device = home_of(self.network)
        lr = lr.to(device).contiguous(memory_format=torch.channels_last)
        with torch.inference_mode(), computing(device, self.precision):
            sr = self.enlarger(lr, read.top, read.left) if self.enlarger else self.network(lr)
        wanted = (1, 3, self.scale * lr.shape[2], self.scale * lr.shape[3])
        assert sr.shape == wanted, f"the network made {tuple(sr.shape)} instead of {wanted}"
        return to_image(sr)

    def do(self, box: _Box) -> bool:
        """Enlarges one tile into the result; False if memory did not suffice."""
        read, scale = self._around(box), self.scale
        try:
            sr = self._enlarged(read)
        except RuntimeError as error:
            if not is_out_of_memory(error):
                raise
            return False
        rows = slice(scale * (box.top - read.top), scale * (box.bottom - read.top))
        columns = slice(scale * (box.left - read.left), scale * (box.right - read.left))
        self.result[scale * box.top : scale * box.bottom, scale * box.left : scale * box.right] = (
            sr[rows, columns]
        )
        return True


def upscale(
    network: nn.Module,
    image: Picture,
    *,
    scale: int,
    padding: int,
    multiple: int = 1,
    tile: int = 256,
    precision: Precision = "fp32",
    enlarger: Enlarger | None = None,
) -> Picture:
    """Enlarges a picture.

    Args:
        network: float32 (1, 3, H, W) in [0, 1] to (1, 3, scale H, scale W), in eval mode; computes
            on the device its parameters are on, fastest when they are channels_last.
        image: uint8 (H, W, 3), RGB.
        scale: How many times larger the network makes a picture.
        padding: LR pixels around a tile that its inside depends on.
        multiple: A tile's place is a multiple of so many LR pixels.
        tile: Side of a tile in LR pixels, without its padding; halved, with a warning, when memory
            does not suffice.
        precision: "bf16" computes in bfloat16 where PyTorch's autocast deems it safe.
        enlarger: What makes SR where it depends on the tile's place; None is the network itself.

    Returns:
        uint8 (scale H, scale W, 3).

    Raises:
        SrmodelsError: Memory does not suffice for a tile of 32 either.
    """
    work = _Work(
        network,
        image,
        scale=scale,
        padding=padding,
        multiple=multiple,
        precision=precision,
        enlarger=enlarger,
    )
    boxes = _Box(0, 0, *image.shape[:2]).split(tile, multiple)
    while boxes:
        if work.do(boxes[0]):
            boxes.pop(0)
            continue
        if tile <= _LEAST_TILE:
            raise SrmodelsError(
                f"out of memory with tiles of {tile} LR pixels on {home_of(network)}; "
                "free some memory, or use a smaller network or the CPU"
            )
        tile = max(_LEAST_TILE, tile // 2)
        log.warning("out of memory on %s; going on with tiles of %d", home_of(network), tile)
        boxes = [part for box in boxes for part in box.split(tile, multiple)]
        if torch.cuda.is_available():
            torch.cuda.empty_cache()
    return work.result


def upscaler(
    scale: int, *, tile: int = 256, precision: Precision = "fp32"
) -> Callable[[nn.Module, Picture], Picture]:
    """`upscale` for networks that say themselves what padding they need: (network, LR) to SR."""

    def enlarged(network: nn.Module, image: Picture) -> Picture:
        padding, multiple = getattr(network, "padding", None), getattr(network, "multiple", 1)
        assert isinstance(padding, int), f"{type(network).__name__} has no padding"
        assert isinstance(multiple, int), f"{type(network).__name__}'s multiple is no number"
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
