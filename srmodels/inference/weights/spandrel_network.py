"""A network that runs in spandrel's code, with our attributes.

spandrel does not say how much padding a network needs, so the padding is measured.
"""

import logging
import math
from typing import TYPE_CHECKING

import torch
from torch import Tensor, nn

if TYPE_CHECKING:
    from spandrel import ImageModelDescriptor

__all__ = ["SpandrelNetwork"]

log = logging.getLogger(__name__)

_PADDINGS = (8, 16, 32, 48)  # LR pixels, tried in this order
_TILE = 8  # LR pixels of the tile that is compared
_TOLERANCE = 0.5 / 255


class SpandrelNetwork(nn.Module):
    """A network that spandrel recognised, with `scale`, `padding` and `multiple` as ours have.

    A grey one enlarges each channel of RGB.
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
        self.padding = _measure_padding(self, self.multiple)

    def forward(self, lr: Tensor) -> Tensor:
        """(N, 3, H, W) in [0, 1] to (N, 3, scale * H, scale * W) in [0, 1]."""
        images = lr.flatten(0, 1)[:, None] if self.grey else lr
        # transformers reshape without copying, which needs contiguous memory
        sr = torch.cat([self.descriptor(image) for image in torch.split(images.contiguous(), 1)])
        return sr.reshape(*lr.shape[:2], *sr.shape[2:]) if self.grey else sr


def _test_image(side: int) -> Tensor:
    """Edges, texture and smooth areas: (1, 3, side, side) in [0, 1], always the same."""
    place = torch.arange(side) / 3
    waves = torch.sin(place)[:, None] + torch.cos(0.7 * place)[None, :]
    noise = torch.rand(3, side, side, generator=torch.Generator().manual_seed(0))
    image = 0.5 + 0.15 * waves + 0.2 * (noise - 0.5)
    image[:, : side // 2, side // 2 :] += 0.2
    return image.clamp(0, 1)[None]


def _measure_padding(network: SpandrelNetwork, multiple: int) -> int:
    """The least padding with which a tile equals the whole picture within half a level of 255."""
    margin = -(-_PADDINGS[-1] // multiple) * multiple
    lr, scale = _test_image(2 * margin + _TILE), network.scale
    inside = slice(scale * margin, scale * (margin + _TILE))
    with torch.inference_mode():
        expected = network(lr)[..., inside, inside]
        for padding in _PADDINGS:
            start = (margin - padding) // multiple * multiple
            end = margin + _TILE + padding
            sr = network(lr[..., start:end, start:end])
            part = slice(scale * (margin - start), scale * (margin - start + _TILE))
            difference = float((sr[..., part, part] - expected).abs().max())
            if difference <= _TOLERANCE:
                return padding
    log.warning(
        "%s looks farther than %d pixels: neighbouring tiles differ by up to %.1f of 255",
        network.descriptor.architecture.name,
        _PADDINGS[-1],
        255 * difference,
    )
    return _PADDINGS[-1]
