"""What any network takes and gives in training."""

import torch
from torch import Tensor, nn


def images_for(network: nn.Module) -> Tensor:
    """Two images of a size that the network takes."""
    side = getattr(network, "patch_size", 33)
    return torch.rand(2, 3, side, side)


def training_outputs(network: nn.Module, images: Tensor) -> list[Tensor]:
    """All tensors that a loss may read; networks with a latent return more in training."""
    if not hasattr(network, "sample"):
        return [network(images)]
    height, width = (side * network.scale for side in images.shape[-2:])
    sr, posterior, prior = network(images, torch.rand(2, 3, height, width).to(images.device))
    return [sr, *posterior, *prior]
