"""A network of another project's code, with the manners of ours.

spandrel says which sizes such a network takes, not how far around a pixel it looks, so that is
measured: a tile with too little around it differs from the same part of the whole picture.
"""

import logging
import math
from typing import TYPE_CHECKING

import torch
from torch import Tensor, nn

if TYPE_CHECKING:
    from spandrel import ImageModelDescriptor

__all__ = ["ForeignNetwork"]

log = logging.getLogger(__name__)

_PADDINGS = (8, 16, 32, 48)  # LR pixels, tried in this order
_INSIDE = 8  # LR pixels of the tile that is compared
_CLOSE = 0.5 / 255


class ForeignNetwork(nn.Module):
    """A network that spandrel has recognised; grey ones enlarge each colour for itself.

    Attributes:
        scale: How many times larger SR is.
        multiple: LR pixels that a tile's place is a multiple of, so that windows stay where they
            are.
        padding: LR pixels that a tile needs around itself, measured on a picture made for that.
    """

    def __init__(self, descriptor: "ImageModelDescriptor[nn.Module]") -> None:
        super().__init__()
        self.inner = descriptor.model
        self.descriptor = descriptor
        self.scale = descriptor.scale
        self.grey = descriptor.input_channels == 1
        window = getattr(descriptor.model, "window_size", 1)
        window = window if isinstance(window, int) and window > 0 else 1
        self.multiple = math.lcm(descriptor.size_requirements.multiple_of, window)
        self.eval()
        self.padding = _measured(self, self.multiple)

    def forward(self, lr: Tensor) -> Tensor:
        """(N, 3, H, W) in [0, 1] to (N, 3, scale * H, scale * W) in [0, 1]."""
        pictures = lr.flatten(0, 1)[:, None] if self.grey else lr
        # transformers reshape without copying, which only this order of memory allows
        one_by_one = torch.split(pictures.contiguous(), 1)
        sr = torch.cat([self.descriptor(each) for each in one_by_one])
        return sr.reshape(*lr.shape[:2], *sr.shape[2:]) if self.grey else sr


def _probe(side: int) -> Tensor:
    """Edges, texture and smooth areas: (1, 3, side, side) in [0, 1], always the same."""
    place = torch.arange(side) / 3
    waves = torch.sin(place)[:, None] + torch.cos(0.7 * place)[None, :]
    noise = torch.rand(3, side, side, generator=torch.Generator().manual_seed(0))
    picture = 0.5 + 0.15 * waves + 0.2 * (noise - 0.5)
    picture[:, : side // 2, side // 2 :] += 0.2
    return picture.clamp(0, 1)[None]


def _measured(network: ForeignNetwork, multiple: int) -> int:
    """The least padding with which a tile equals the whole picture within half a level of 255."""
    around = -(-_PADDINGS[-1] // multiple) * multiple
    whole, scale = _probe(2 * around + _INSIDE), network.scale
    inside = slice(scale * around, scale * (around + _INSIDE))
    with torch.inference_mode():
        wanted = network(whole)[..., inside, inside]
        for padding in _PADDINGS:
            start = (around - padding) // multiple * multiple
            end = around + _INSIDE + padding
            tile = network(whole[..., start:end, start:end])
            place = slice(scale * (around - start), scale * (around - start + _INSIDE))
            difference = float((tile[..., place, place] - wanted).abs().max())
            if difference <= _CLOSE:
                return padding
    log.warning(
        "%s looks farther than %d pixels: neighbouring tiles differ by up to %.1f of 255",
        network.descriptor.architecture.name,
        _PADDINGS[-1],
        255 * difference,
    )
    return _PADDINGS[-1]
