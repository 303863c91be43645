"""Spectral normalisation of a layer's weight (Miyato et al. ICLR 2018, arXiv:1802.05957).

The norm is float32 also under autocast, where PyTorch's version mixes bfloat16 and float32.
"""

import torch
import torch.nn.functional as F
from torch import Tensor, nn
from torch.nn.utils.parametrize import register_parametrization

from srmodels.models._layers import kaiming_


class SpectralNorm(nn.Module):
    """Divides a weight by its largest singular value (eq. 8, algorithm 1)."""

    left: Tensor

    def __init__(self, weight: Tensor) -> None:
        super().__init__()
        self.register_buffer("left", F.normalize(torch.randn(weight.shape[0]), dim=0))
        for _ in range(15):  # later, one step per forward follows the changing weight
            self.forward(weight.detach())

    def forward(self, weight: Tensor) -> Tensor:
        """Normalises a weight; in training mode also does one step of power iteration."""
        with torch.autocast(weight.device.type, enabled=False):
            matrix = weight.flatten(1)
            with torch.no_grad():
                right = F.normalize(self.left @ matrix, dim=0)
                left = F.normalize(matrix @ right, dim=0)
                if self.training:
                    self.left.copy_(left)
            return weight / (left @ matrix @ right)


def spectral(layer: nn.Conv2d, *, slope: float) -> nn.Module:
    """Initialises a layer for a LeakyReLU of this slope and adds spectral normalisation."""
    kaiming_(layer, slope=slope)
    return register_parametrization(layer, "weight", SpectralNorm(layer.weight))
