"""One of the photographs that LR may have been: a VAE's latent drawn for a whole picture.

The noise is drawn once for all of a picture, and a tile takes its part: neighbouring tiles share
their latent, so there are no seams, and the sample is the same whatever the size of the tiles.
"""

import torch
from torch import Tensor

from srmodels.inference.tiling.device import Precision, device_of
from srmodels.inference.tiling.upscale import Enlarger, Picture, upscale
from srmodels.models._latent import LatentNetwork

__all__ = ["sample"]


def _noise(network: LatentNetwork, image: Picture, generator: torch.Generator | None) -> Tensor:
    """A standard normal number for each of a picture's latent."""
    (height, width), step = image.shape[:2], network.multiple
    with torch.inference_mode():
        least = torch.zeros(1, 3, step, step, device=device_of(network))
        channels = network.prior_of(least)[0].mean.shape[1]
    return torch.randn(1, channels, -(-height // step), -(-width // step), generator=generator)


def _with_noise(network: LatentNetwork, noise: Tensor, temperature: float) -> Enlarger:
    step = network.multiple

    def enlarged(lr: Tensor, top: int, left: int) -> Tensor:
        bottom, right = top + lr.shape[2], left + lr.shape[3]
        rows, columns = (
            slice(top // step, -(-bottom // step)),
            slice(left // step, -(-right // step)),
        )
        return network.sample(lr, noise=noise[..., rows, columns], temperature=temperature)

    return enlarged


def sample(
    network: LatentNetwork,
    image: Picture,
    *,
    generator: torch.Generator | None = None,
    temperature: float = 1.0,
    tile: int = 256,
    precision: Precision = "fp32",
) -> Picture:
    """Enlarges a picture with a latent drawn from the prior; another one on every call.

    Args:
        network: In eval mode, on the device where it computes.
        image: uint8 (H, W, 3), RGB; any size.
        generator: Of the CPU; None is PyTorch's own.
        temperature: What the prior's standard deviations are multiplied by; 0 gives the mean's SR.
        tile: Side of the tiles in LR pixels.
        precision: "bf16" computes in bfloat16 where PyTorch's autocast deems it safe.

    Returns:
        uint8 (scale H, scale W, 3).

    Raises:
        SrmodelsError: Memory does not suffice for a tile of 32 either.
    """
    noise = _noise(network, image, generator)
    return upscale(
        network,
        image,
        scale=network.scale,
        padding=network.padding,
        multiple=network.multiple,
        tile=tile,
        precision=precision,
        enlarger=_with_noise(network, noise, temperature),
    )
