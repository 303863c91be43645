"""SRCNN: Image Super-Resolution Using Deep Convolutional Networks.

Dong, Loy, He, Tang. IEEE TPAMI 2016. https://arxiv.org/abs/1501.00092. Differences:

- The bicubic enlargement is inside, so the network takes LR. Pictures are RGB (section 4.5), not Y.
- The paper's convolutions shrink the picture. Here edge pixels extend it first (a reflection would
  fail on one pixel), so no convolution sees zero padding and the output has no frame.
- The paper draws all weights from N(0, 0.001) and needs 8e8 backpropagations. Here three channels
  start as the identity on R, G and B, the other layers' weights as He et al. 2015, the last layer's
  as N(0, 0.001): training starts from bicubic.
"""

from dataclasses import dataclass

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from srmodels.models._layers import check_settings, kaiming_
from srmodels.resize.tensors import enlarge

ROLE = "generator"


@dataclass(frozen=True, kw_only=True)
class Settings:
    """The 9-1-5 network of section 4.1; kernels (9, 5, 5) are those of section 4.3.2."""

    scale: int = 4
    kernels: tuple[int, int, int] = (9, 1, 5)  # odd, in HR pixels
    channels: tuple[int, int] = (64, 32)  # of the first two convolutions, at least 3 each

    def __post_init__(self) -> None:
        check_settings(self)
        if any(kernel < 1 or kernel % 2 == 0 for kernel in self.kernels):
            raise ValueError("kernels must be odd and positive")
        if min(self.channels) < 3:
            raise ValueError("channels must be at least 3 (one for each of R, G, B)")


@torch.no_grad()
def _identity_(layer: nn.Conv2d) -> None:
    """Makes the first three outputs copies of the first three inputs (colours are positive)."""
    middle = layer.kernel_size[0] // 2
    layer.weight[:3] = 0
    layer.weight[range(3), range(3), middle, middle] = 1


def _bicubic_reach(reach: int, scale: int) -> int:
    """LR pixels on each side that bicubic enlargement reads for `reach` HR pixels on each side.

    HR pixel -reach lies at LR coordinate (0.5 - reach) / scale - 0.5; the kernel starts one pixel
    before the LR pixel below that.
    """
    return 1 - (1 - 2 * reach - scale) // (2 * scale)


class SRCNN(nn.Module):
    """Patch extraction, non-linear mapping, reconstruction (figure 2; eqs. 1-3)."""

    def __init__(self, settings: Settings) -> None:
        super().__init__()
        first, second, third = settings.kernels
        self.scale = settings.scale
        self.multiple = 1
        self.extent = (first + second + third - 3) // 2  # HR pixels that convolutions remove
        self.padding = _bicubic_reach(self.extent, settings.scale)
        self.extract = nn.Conv2d(3, settings.channels[0], first)
        self.map = nn.Conv2d(*settings.channels, second)
        self.reconstruct = nn.Conv2d(settings.channels[1], 3, third)
        for layer in (self.extract, self.map):
            kaiming_(layer)
            _identity_(layer)
        kaiming_(self.reconstruct)
        nn.init.normal_(self.reconstruct.weight, std=0.001)
        _identity_(self.reconstruct)

    def forward(self, lr: Tensor) -> Tensor:
        """(N, 3, H, W) in [0, 1] to (N, 3, scale * H, scale * W), not clamped."""
        images = F.pad(enlarge(lr, self.scale), (self.extent,) * 4, mode="replicate")
        features = F.relu(self.map(F.relu(self.extract(images))))
        sr: Tensor = self.reconstruct(features).to(lr.dtype)
        return sr
