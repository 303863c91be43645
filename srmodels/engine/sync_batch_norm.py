"""Batch norm over the batches of all processes, on GPUs and CPUs."""

import torch
from torch import Tensor, nn

from srmodels.distributed import collectives


class _SyncBatchNorm2d(nn.BatchNorm2d):
    """`nn.SyncBatchNorm` from differentiable means.

    PyTorch's runs on GPUs only and cannot be differentiated twice, as a gradient penalty does.
    """

    def forward(self, x: Tensor) -> Tensor:
        if not self.training:
            return super().forward(x)
        wide = x.to(torch.promote_types(x.dtype, torch.float32))
        mean = collectives.all_reduce_mean(wide.mean((0, 2, 3)))
        centred = wide - mean[:, None, None]
        variance = collectives.all_reduce_mean(centred.square().mean((0, 2, 3)))
        count = collectives.world_size() * x.numel() // x.shape[1]
        self._update_running_stats(mean.detach(), variance.detach(), count)
        normal = centred * torch.rsqrt(variance + self.eps)[:, None, None]
        if self.affine:
            normal = normal * self.weight[:, None, None] + self.bias[:, None, None]
        return normal.to(x.dtype)

    @torch.no_grad()
    def _update_running_stats(self, mean: Tensor, variance: Tensor, count: int) -> None:
        if self.running_mean is None or self.running_var is None:
            return
        assert self.num_batches_tracked is not None, "counted wherever statistics are kept"
        self.num_batches_tracked.add_(1)
        momentum = self.momentum
        weight = 1 / float(self.num_batches_tracked) if momentum is None else momentum
        self.running_mean.lerp_(mean, weight)
        self.running_var.lerp_(variance * count / (count - 1), weight)  # unbiased, as in PyTorch


def sync_batch_norm(network: nn.Module) -> nn.Module:
    """Converts a network's batch norms; leaves them as they are in a single process."""
    if collectives.world_size() == 1:
        return network
    for module in network.modules():
        if type(module) is nn.BatchNorm2d:
            module.__class__ = _SyncBatchNorm2d  # another forward with the same parameters
    return network
