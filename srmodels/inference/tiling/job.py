"""What `tiled` and `streamed` share: reading LR, checking SR, falling back to fp32, less memory."""

import logging
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager, nullcontext
from dataclasses import dataclass
from typing import Generic

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from srmodels.errors import SrmodelsError, WeightsError
from srmodels.inference.tiling.box import Box
from srmodels.inference.tiling.device import ComputeDtype, Engine, device_of
from srmodels.machine import is_out_of_memory, without_tf32
from srmodels.resize.tensors import PixelT, to_tensor

__all__ = ["HalfPrecisionError", "TileForward", "TilingJob", "halve_tile"]

log = logging.getLogger(__name__)

TileForward = Callable[[Tensor, int, int], Tensor]  # LR tile, its top and left -> SR
_MIN_TILE = 32  # LR pixels
_MIN_CONTRAST = 0.1  # lightest minus darkest LR value below which SR may be flat
_FLAT = 0.01  # contrast of SR / contrast of LR


class HalfPrecisionError(Exception):
    """A tile in half precision is not finite, or flat where LR is not."""


@dataclass(kw_only=True)
class TilingJob(Generic[PixelT]):
    """The arguments of `upscale_rows`; `tile` and `precision` may change on the way."""

    network: nn.Module
    image: NDArray[PixelT]
    scale: int
    tile: int
    precision: ComputeDtype
    tile_forward: TileForward | None = None
    engine: Engine = "torch"

    @property
    def padding(self) -> int:
        """LR pixels of context around a tile."""
        padding = getattr(self.network, "padding", None)
        assert isinstance(padding, int), f"{type(self.network).__name__} has no padding"
        return padding

    @property
    def multiple(self) -> int:
        """What tiles begin at multiples of, in LR pixels."""
        return int(getattr(self.network, "multiple", 1))

    @property
    def box(self) -> Box:
        """The whole picture."""
        return Box(0, 0, *self.image.shape[:2])

    def empty(self, box: Box) -> NDArray[PixelT]:
        """An uninitialised array for SR of a box."""
        height, width = box.bottom - box.top, box.right - box.left
        return np.empty((self.scale * height, self.scale * width, 3), self.image.dtype)

    def lr(self, box: Box) -> Tensor:
        """A box of the picture, (1, 3, h, w) in [0, 1], on the network's device."""
        lr = to_tensor(self.image[box.slices(self.box)]).to(device_of(self.network))
        return lr.contiguous(memory_format=torch.channels_last)

    @contextmanager
    def inference_context(self) -> Iterator[None]:
        """Inference mode; autocast for bf16 and fp16; no TF32 for fp32 on CUDA."""
        device = device_of(self.network).type
        context: AbstractContextManager[object] = nullcontext()
        if self.precision != "fp32":
            half = torch.bfloat16 if self.precision == "bf16" else torch.float16
            context = torch.autocast(device, dtype=half)
        elif device == "cuda":
            context = without_tf32()
        with torch.inference_mode(), context:
            yield

    def check(self, sr: Tensor, lr: Tensor) -> None:
        """Raises HalfPrecisionError for broken SR in half precision, WeightsError in fp32."""
        expected = (1, 3, self.scale * lr.shape[2], self.scale * lr.shape[3])
        assert sr.shape == expected, f"the network made {tuple(sr.shape)} instead of {expected}"
        finite = bool(sr.isfinite().all())
        if self.precision != "fp32" and not (finite and _varies_with(sr, lr)):
            raise HalfPrecisionError
        if not finite:
            raise WeightsError(
                f"{type(self.network).__name__}: damaged weights (got NaN or infinite pixels in "
                "fp32). Use other weights."
            )

    def fall_back_to_fp32(self) -> None:
        """Computes the rest of the picture in fp32, after a `HalfPrecisionError`."""
        log.warning(
            "a tile in %s is black or not finite; it and the rest are computed in fp32",
            self.precision,
        )
        self.precision = "fp32"


def _varies_with(sr: Tensor, lr: Tensor) -> bool:
    lr_min, lr_max = lr.aminmax()
    sr_min, sr_max = sr.clamp(0, 1).aminmax()
    contrast = lr_max - lr_min
    return bool((contrast < _MIN_CONTRAST) | (sr_max - sr_min >= _FLAT * contrast))


def halve_tile(side: int, device: torch.device, what: str, error: RuntimeError) -> int:
    """Half a side in LR pixels, at least 32; raises the error if memory is not what was missing.

    Raises:
        SrmodelsError: The side is 32 already.
    """
    if not is_out_of_memory(error):
        raise error
    if side <= _MIN_TILE:
        raise SrmodelsError(
            f"{device}: out of memory (got {what} of {side} LR pixels). "
            "Free some memory, or use a smaller network or the CPU."
        )
    side = max(_MIN_TILE, side // 2)
    log.warning("out of memory on %s; going on with %s of %d", device, what, side)
    if torch.cuda.is_available():
        torch.cuda.empty_cache()
    return side
