"""Averages gradients over processes in buckets, while backward still computes the others.

As PyTorch's DistributedDataParallel, https://arxiv.org/abs/2006.15704, section 3.2.3. But that
exchanges a network's gradients whenever a backward pass crosses the network, also a frozen one's,
and at every forward pass the buffers.
"""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager

from torch import Tensor, nn

from srmodels.distributed import collectives

BUCKET_BYTES = 4 * 2**20  # of gradients in one exchange


def _buckets(parameters: Sequence[nn.Parameter]) -> list[list[nn.Parameter]]:
    """Groups of about `BUCKET_BYTES`, beginning with the last layer, whose gradients are first."""
    buckets: list[list[nn.Parameter]] = []
    size = BUCKET_BYTES
    for parameter in reversed(parameters):
        if size >= BUCKET_BYTES:
            buckets.append([])
            size = 0
        buckets[-1].append(parameter)
        size += parameter.numel() * parameter.element_size()
    return buckets


class GradientMeans:
    """The means over processes of the gradients that one backward pass computes.

    The gradients have one dtype and device, and all processes compute those of the same parameters.
    Buckets start in one order, whatever the order in which gradients are ready, since all processes
    must exchange the same one.
    """

    def __init__(self, parameters: Sequence[nn.Parameter]) -> None:
        self._buckets = _buckets(parameters)
        self._missing = [len(bucket) for bucket in self._buckets]
        self._bucket_of: dict[Tensor, int] = {
            parameter: number for number, bucket in enumerate(self._buckets) for parameter in bucket
        }
        self._exchanges: list[collectives.MeanExchange] = []

    @contextmanager
    def during_backward(self) -> Iterator[None]:
        """Runs a backward pass that starts each bucket's exchange when its gradients are ready."""
        hooks = [
            parameter.register_post_accumulate_grad_hook(self._ready)  # type: ignore[no-untyped-call]
            for parameter in self._bucket_of
        ]
        try:
            yield
        finally:
            for hook in hooks:
                hook.remove()
        while len(self._exchanges) < len(self._buckets):  # those with unused parameters
            self._start()

    def _ready(self, parameter: Tensor) -> None:
        self._missing[self._bucket_of[parameter]] -= 1
        while len(self._exchanges) < len(self._buckets) and not self._missing[len(self._exchanges)]:
            self._start()

    def _start(self) -> None:
        bucket = self._buckets[len(self._exchanges)]
        gradients = [parameter.grad for parameter in bucket if parameter.grad is not None]
        self._exchanges.append(collectives.MeanExchange(gradients))

    def wait(self) -> None:
        """Replaces the gradients by their means, when all exchanges have ended."""
        for exchange in self._exchanges:
            exchange.wait()
