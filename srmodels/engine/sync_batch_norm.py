"""Batch norm over the whole batch, where several processes have a part of it each."""

import torch
from torch import Tensor, nn

from srmodels.distributed import collectives

__all__ = ["sync_batch_norm"]


class _WholeBatchNorm2d(nn.BatchNorm2d):
    """`nn.SyncBatchNorm`, which PyTorch has for GPUs only, out of differentiable means."""

    def forward(self, x: Tensor) -> Tensor:
        """(N, C, H, W) to the same; in eval mode as any batch norm."""
        if not self.training:
            return super().forward(x)
        wide = x.to(torch.promote_types(x.dtype, torch.float32))
        mean = collectives.all_reduce_mean(wide.mean((0, 2, 3)))
        centred = wide - mean[:, None, None]
        variance = collectives.all_reduce_mean(centred.square().mean((0, 2, 3)))
        self._remember(
            mean.detach(), variance.detach(), collectives.world_size() * x.numel() // x.shape[1]
        )
        normal = centred * torch.rsqrt(variance + self.eps)[:, None, None]
        if self.affine:
            normal = normal * self.weight[:, None, None] + self.bias[:, None, None]
        return normal.to(x.dtype)

    @torch.no_grad()
    def _remember(self, mean: Tensor, variance: Tensor, values: int) -> None:
        """Moves the running statistics, as `nn.BatchNorm2d` does: its variance is the unbiased."""
        if self.running_mean is None or self.running_var is None:
            return
        assert self.num_batches_tracked is not None, "counted wherever statistics are kept"
        self.num_batches_tracked.add_(1)
        momentum = self.momentum
        weight = 1 / float(self.num_batches_tracked) if momentum is None else momentum
        self.running_mean.lerp_(mean, weight)
        self.running_var.lerp_(variance * values / (values - 1), weight)


def sync_batch_norm(network: nn.Module) -> nn.Module:
    """The network, its batch norms over the batches of all processes; as it is where one trains."""
    if collectives.world_size() == 1:
        return network
    if any(each.device.type == "cuda" for each in network.parameters()):
        convert = nn.SyncBatchNorm.convert_sync_batchnorm
        synchronised: nn.Module = convert(network)  # type: ignore[no-untyped-call]
        return synchronised
    for module in network.modules():
        if type(module) is nn.BatchNorm2d:
            module.__class__ = _WholeBatchNorm2d  # another forward of the same parameters
    return network
