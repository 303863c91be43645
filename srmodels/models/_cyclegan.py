"""What the networks of the CycleGAN pair and their discriminator share: how they begin.

Jun-Yan Zhu, Taesung Park, Phillip Isola, Alexei Efros. Unpaired Image-to-Image Translation using
Cycle-Consistent Adversarial Networks. ICCV 2017. https://arxiv.org/abs/1703.10593
"""

from torch import nn

__all__ = ["begin_"]


def begin_(network: nn.Module) -> None:
    """Draws every convolution's weights from N(0, 0.02), biases 0 (appendix 7.1)."""
    for layer in network.modules():
        if isinstance(layer, nn.Conv2d):
            nn.init.normal_(layer.weight, std=0.02)
            if layer.bias is not None:
                nn.init.zeros_(layer.bias)
