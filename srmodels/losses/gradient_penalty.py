"""R1: the squared gradient of the discriminator on real images.

Mescheder, Geiger, Nowozin, ICML 2018, https://arxiv.org/abs/1801.04406, eq. 9. Computed on every
n-th step, n times as strong (Karras et al. 2020, https://arxiv.org/abs/1912.04958, section 3.1). An
image's map of logits is summed, as in public code, so the penalty grows with the map's size.
"""

import torch
from torch import Tensor, nn


def r1(discriminator: nn.Module, real: Tensor) -> Tensor:
    """Half the squared gradient norm per real image, (N, 3, H, W) in [0, 1], averaged; a scalar.

    Computed in float32 also under autocast: bfloat16 has three digits, too few for a second
    derivative. With batch norm the gradient of an image depends on the rest of the batch.
    """
    real = real.detach().requires_grad_()
    network = getattr(discriminator, "module", discriminator)  # Fabric's wrapper turns autocast on
    with torch.autocast(real.device.type, enabled=False):
        logits = network(real)
        (gradient,) = torch.autograd.grad(logits.sum(), real, create_graph=True)
    return gradient.square().flatten(1).sum(1).mean() / 2
