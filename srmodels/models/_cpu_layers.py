"""PyTorch's PReLU and PixelShuffle with backward passes that are fast on a CPU.

PyTorch's PReLU writes the gradient of its slopes at every pixel before it adds them up, and the
backward pass of its PixelShuffle is slow in channels_last memory. docs/LOG.md has what that costs.
In evaluation, and on other devices, the layers are PyTorch's own.
"""

from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor, nn


def _is_trained_on_cpu(layer: nn.Module, features: Tensor) -> bool:
    return layer.training and torch.is_grad_enabled() and features.device.type == "cpu"


class _PReLU(torch.autograd.Function):
    """(N, C, H, W) and one slope, or C of them, to the same shape."""

    @staticmethod
    def forward(ctx: Any, features: Tensor, slopes: Tensor) -> Tensor:  # noqa: ANN401 - of autograd
        """Features where they are positive, slope * features elsewhere."""
        ctx.save_for_backward(features, slopes)
        return F.prelu(features, slopes.to(features.dtype))

    @staticmethod
    def backward(ctx: Any, *changes: Tensor) -> tuple[Tensor, Tensor]:  # noqa: ANN401
        """Gradients of features and slopes."""
        (change,), (features, slopes) = changes, ctx.saved_tensors
        below = features.clamp(max=0).mul_(change)
        if slopes.numel() == 1:
            of_slopes = below.sum().to(slopes.dtype).view(1)
            slope = slopes.to(features.dtype).item()
            return torch.ops.aten.leaky_relu_backward(change, features, slope, False), of_slopes
        of_slopes = below.sum((0, 2, 3)).to(slopes.dtype)
        above = torch.ops.aten.leaky_relu_backward(change, features, 0.0, False)
        slopes = slopes.to(features.dtype).view(1, -1, 1, 1)
        return above.addcmul(change - above, slopes), of_slopes


class _PixelShuffle(torch.autograd.Function):
    """(N, C * factor^2, H, W) to (N, C, factor * H, factor * W)."""

    @staticmethod
    def forward(ctx: Any, features: Tensor, factor: int) -> Tensor:  # noqa: ANN401 - of autograd
        """PyTorch's own."""
        ctx.factor = factor
        return F.pixel_shuffle(features, factor)

    @staticmethod
    def backward(ctx: Any, *changes: Tensor) -> tuple[Tensor, None]:  # noqa: ANN401
        """Gathers a block's pixels, then sorts them by channel: faster than in one copy."""
        factor, pixels = ctx.factor, changes[0].permute(0, 2, 3, 1)  # as they lie in memory
        images, height, width, channels = pixels.shape
        height, width = height // factor, width // factor
        pixels = pixels.reshape(images, height, factor, width, factor, channels)
        blocks = pixels.transpose(2, 3).reshape(-1, factor**2, channels)
        blocks = blocks.transpose(1, 2).reshape(images, height, width, channels * factor**2)
        return blocks.permute(0, 3, 1, 2), None


class PReLU(nn.PReLU):
    """One slope, or one per channel (He et al. 2015, arXiv:1502.01852, eq. 1)."""

    def forward(self, input: Tensor) -> Tensor:  # noqa: A002 - as in the base class
        """(N, C, H, W) to the same."""
        if not _is_trained_on_cpu(self, input):
            return super().forward(input)
        result: Tensor = _PReLU.apply(input, self.weight)
        return result


class PixelShuffle(nn.PixelShuffle):
    """Shi et al. 2016, arXiv:1609.05158, eq. 4."""

    def forward(self, input: Tensor) -> Tensor:  # noqa: A002 - as in the base class
        """(N, C * factor^2, H, W) to (N, C, factor * H, factor * W), the same values."""
        if not _is_trained_on_cpu(self, input):
            return super().forward(input)
        result: Tensor = _PixelShuffle.apply(input, self.upscale_factor)
        return result


LAYERS = (PReLU, PixelShuffle)
