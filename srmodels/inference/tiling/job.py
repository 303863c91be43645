"""One picture on its way through a network: what all ways of upscaling share."""

import logging
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Generic

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from srmodels.errors import SrmodelsError, WeightsError
from srmodels.inference.tiling.box import Box
from srmodels.inference.tiling.device import ComputeDtype, autocast_context, device_of
from srmodels.inference.tiling.pixels import Kind, to_lr

__all__ = ["Enlarger", "HalfPrecisionError", "TilingJob", "halve_tile"]

log = logging.getLogger(__name__)

Enlarger = Callable[[Tensor, int, int], Tensor]  # LR, its top and its left in the picture, to SR
_LEAST = 32  # LR pixels
_VARIED = 0.1  # LR with less between its darkest and its lightest value may well become flat
_FLAT = 0.01  # of LR's range


class HalfPrecisionError(Exception):
    """A tile in half precision is not finite, or flat where its LR is not."""


@dataclass(kw_only=True)
class TilingJob(Generic[Kind]):
    """A picture, a network, and how they meet; what memory or precision forbid changes on the way.

    Attributes:
        network: In eval mode, on its device.
        image: (H, W, 3).
        scale: How many times larger the network makes it.
        padding: LR pixels around a tile that its inside depends on.
        multiple: A tile's place is a multiple of so many LR pixels.
        tile: Side of a tile in LR pixels, without its padding.
        precision: What the network computes in.
        enlarger: What makes SR in the network's stead.
    """

    network: nn.Module
    image: NDArray[Kind]
    scale: int
    padding: int
    multiple: int
    tile: int
    precision: ComputeDtype
    enlarger: Enlarger | None = None

    @property
    def box(self) -> Box:
        """The whole picture."""
        return Box(0, 0, *self.image.shape[:2])

    @property
    def row_bytes(self) -> int:
        """Of a row of SR."""
        return self.image.itemsize * 3 * self.scale * self.box.right

    def empty(self, box: Box) -> NDArray[Kind]:
        """Room for SR of a part of the picture."""
        height, width = box.bottom - box.top, box.right - box.left
        return np.empty((self.scale * height, self.scale * width, 3), self.image.dtype)

    def lr(self, box: Box) -> Tensor:
        """A part of the picture, (1, 3, h, w) in [0, 1], on the network's device."""
        part = to_lr(self.image[box.of(self.box)]).to(device_of(self.network))
        return part.contiguous(memory_format=torch.channels_last)

    @contextmanager
    def computing(self) -> Iterator[None]:
        """Within it, networks compute in this job's precision and remember nothing."""
        with torch.inference_mode(), autocast_context(device_of(self.network), self.precision):
            yield

    def check(self, sr: Tensor, lr: Tensor) -> None:
        """Looks at SR and the LR it was made of.

        Raises:
            Unsound: It was computed in half precision, and cannot be believed.
            WeightsError: It is not finite in float32.
        """
        wanted = (1, 3, self.scale * lr.shape[2], self.scale * lr.shape[3])
        assert sr.shape == wanted, f"the network made {tuple(sr.shape)} instead of {wanted}"
        finite = bool(sr.isfinite().all())
        if self.precision != "fp32" and not (finite and _varies_with(sr, lr)):
            raise HalfPrecisionError
        if not finite:
            raise WeightsError(
                f"{type(self.network).__name__}: makes pixels that are no numbers, in float32 too; "
                "its weights are damaged, use others"
            )

    def go_on_in_fp32(self) -> None:
        """Computes the rest of the picture in float32, after `HalfPrecisionError`."""
        log.warning(
            "a tile in %s is black or not finite; it and the rest are computed in fp32",
            self.precision,
        )
        self.precision = "fp32"


def _varies_with(sr: Tensor, lr: Tensor) -> bool:
    dark, light = lr.aminmax()
    darkest, lightest = sr.clamp(0, 1).aminmax()
    varied = light - dark
    return bool((varied < _VARIED) | (lightest - darkest >= _FLAT * varied))


def halve_tile(side: int, device: torch.device, what: str) -> int:
    """The answer to too little memory: half of a tile's side, or of a strip's, in LR pixels.

    Raises:
        SrmodelsError: It is as small as it can be.
    """
    if side <= _LEAST:
        raise SrmodelsError(
            f"out of memory with {what} of {side} LR pixels on {device}; "
            "free some memory, or use a smaller network or the CPU"
        )
    side = max(_LEAST, side // 2)
    log.warning("out of memory on %s; going on with %s of %d", device, what, side)
    if torch.cuda.is_available():
        torch.cuda.empty_cache()
    return side
