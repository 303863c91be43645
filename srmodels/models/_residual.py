"""The residual block without normalisation that several networks are built of.

Kaiming He, Xiangyu Zhang, Shaoqing Ren, Jian Sun. Deep Residual Learning for Image Recognition.
CVPR 2016. https://arxiv.org/abs/1512.03385, figure 2, without BN and without the ReLU at the end.
"""

from torch import Tensor, nn

from srmodels.models._layers import conv, kaiming_

__all__ = ["ResidualBlock"]


class ResidualBlock(nn.Module):
    """Adds convolution, ReLU, convolution to its input.

    Args:
        channels: Feature maps throughout.
        gain: What the last convolution's initialisation is multiplied by; small begins near the
            identity.
    """

    def __init__(self, channels: int, *, gain: float = 1.0) -> None:
        super().__init__()
        first, last = (conv(channels, channels) for _ in range(2))
        kaiming_(first)
        kaiming_(last, gain=gain)
        self.branch = nn.Sequential(first, nn.ReLU(inplace=True), last)

    def forward(self, features: Tensor) -> Tensor:
        """(N, C, H, W) to the same."""
        changed: Tensor = self.branch(features)
        return features + changed
