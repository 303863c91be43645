"""R1: the discriminator's gradient on real images, squared.

Lars Mescheder, Andreas Geiger, Sebastian Nowozin. Which Training Methods for GANs do actually
Converge? ICML 2018. https://arxiv.org/abs/1801.04406, eq. 9.
That it may be computed on every sixteenth step only, sixteen times as strong: Tero Karras et al.
Analyzing and Improving the Image Quality of StyleGAN. CVPR 2020. https://arxiv.org/abs/1912.04958,
section 3.1 ("lazy regularization").

Where logits are a map, an image's logits are summed, as public code does: the penalty then grows
with their number, and its weight should be smaller.
"""

import torch
from torch import Tensor, nn

__all__ = ["r1"]


def _bare(network: nn.Module) -> nn.Module:
    """The network inside Fabric's wrapper, which would turn autocast on again."""
    inner = getattr(network, "module", None)
    return inner if isinstance(inner, nn.Module) else network


def r1(discriminator: nn.Module, real: Tensor) -> Tensor:
    """Half the squared length of the gradient in each real image, in float32 also under autocast.

    bfloat16 has three digits, and a second derivative would lose two of them.

    Args:
        discriminator: Images to logits, (N, 1) or (N, 1, h, w); wrapped or not. Batch norm mixes
            the images of a batch, so its gradient is no single image's: better without.
        real: (N, 3, H, W), float32 RGB in [0, 1].

    Returns:
        A scalar, the mean over images; its gradient reaches the discriminator's parameters only.
    """
    real = real.detach().requires_grad_()
    with torch.autocast(real.device.type, enabled=False):
        logits = _bare(discriminator)(real)
        (gradient,) = torch.autograd.grad(logits.sum(), real, create_graph=True)
    return gradient.square().flatten(1).sum(1).mean() / 2
