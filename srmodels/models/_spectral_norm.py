"""Spectral normalisation of a layer's weight.

Takeru Miyato, Toshiki Kataoka, Masanori Koyama, Yuichi Yoshida. Spectral Normalization for
Generative Adversarial Networks. ICLR 2018. https://arxiv.org/abs/1802.05957

The norm is computed in float32 also under autocast, where PyTorch's own would mix bfloat16 and
float32.
"""

import torch
import torch.nn.functional as F
from torch import Tensor, nn
from torch.nn.utils.parametrize import register_parametrization

from srmodels.models._layers import kaiming_

__all__ = ["SpectralNorm", "spectral"]


class SpectralNorm(nn.Module):
    """A weight divided by its largest singular value (Miyato et al. 2018, eq. 8, algorithm 1)."""

    left: Tensor

    def __init__(self, weight: Tensor) -> None:
        super().__init__()
        self.register_buffer("left", F.normalize(torch.randn(weight.shape[0]), dim=0))
        for _ in range(15):  # afterwards one step a forward keeps up with the changing weight
            self.forward(weight.detach())

    def forward(self, weight: Tensor) -> Tensor:
        """Weight to weight; in training mode also one step of the power iteration."""
        with torch.autocast(weight.device.type, enabled=False):
            matrix = weight.flatten(1)
            with torch.no_grad():
                right = F.normalize(self.left @ matrix, dim=0)
                left = F.normalize(matrix @ right, dim=0)
                if self.training:
                    self.left.copy_(left)
            return weight / (left @ matrix @ right)


def spectral(layer: nn.Conv2d, *, slope: float) -> nn.Module:
    """The layer under spectral normalisation, initialised.

    Args:
        layer: What is normalised.
        slope: Of the LeakyReLU after it. Only the weight's direction matters: the norm divides the
            size away.
    """
    kaiming_(layer, slope=slope)
    return register_parametrization(layer, "weight", SpectralNorm(layer.weight))
