"""Collective operations between the processes of one training; without effect in a single process.

All processes call them at the same places, in the same order, with tensors of equal shapes, and
their random generators are in equal states.
"""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from datetime import timedelta
from typing import Any, TypeVar

import torch
import torch.distributed as dist
from torch import Tensor

from srmodels.errors import ConfigError, ProcessLostError

_T = TypeVar("_T")
_FAILED = "srmodels/failed"  # the store's key for the error of the process that failed first
_host_group: Any = None  # the group for values on the CPU; None: the default group


def world_size() -> int:
    """The number of processes in this training; 1 where none were launched."""
    return dist.get_world_size() if dist.is_available() and dist.is_initialized() else 1


def rank() -> int:
    """The number of this process, from 0."""
    return dist.get_rank() if world_size() > 1 else 0


def is_main_process() -> bool:
    """Whether this is rank 0, which writes files and log lines."""
    return rank() == 0


def init_host_group(timeout: timedelta) -> None:
    """Opens a Gloo group for values on the CPU where the default group is NCCL."""
    global _host_group  # noqa: PLW0603 - as PyTorch's default group
    nccl = world_size() > 1 and dist.get_backend() != "gloo"
    _host_group = dist.new_group(backend="gloo", timeout=timeout) if nccl else None


def _failure() -> str:
    """The error that the failed process left in the store, if it could."""
    with suppress(Exception):  # the store may have gone with the process that kept it
        store = dist.distributed_c10d._get_default_store()
        if store.check([_FAILED]):
            return store.get(_FAILED).decode()
    return "killed, or see the log of that process"


@contextmanager
def _lost_as_error() -> Iterator[None]:
    try:
        yield
    except RuntimeError as error:  # what PyTorch raises where a connection ends or times out
        first = str(error).partition("\n")[0]
        line = (first.partition("] ")[2] or first)[:120]  # without the place in PyTorch's source
        raise ProcessLostError(
            f"process {rank()} of {world_size()}: another process has ended or does not answer "
            f"(got {_failure()}). Run the same command again to resume from the last checkpoint "
            f"[{line}]"
        ) from None


@contextmanager
def exit_together() -> Iterator[None]:
    """All processes leave this block together; a process that fails tells the others its error."""
    try:
        yield
    except Exception as error:
        if world_size() > 1 and not isinstance(error, ProcessLostError):
            with suppress(Exception):
                store = dist.distributed_c10d._get_default_store()
                store.set(_FAILED, f"process {rank()}: {error or repr(error)}")
        raise
    if world_size() > 1:
        all_reduce_max(0)
        dist.destroy_process_group()


def _wide(dtype: torch.dtype) -> torch.dtype:
    """At least float32, since bfloat16 loses digits and not every backend can sum it."""
    return torch.promote_types(dtype, torch.float32)


def _mean(tensor: Tensor) -> Tensor:
    wide, layout = _wide(tensor.dtype), torch.contiguous_format
    total = tensor.to(wide, copy=True, memory_format=layout)
    with _lost_as_error():
        dist.all_reduce(total)
    return (total / world_size()).to(tensor.dtype)


class _Mean(torch.autograd.Function):
    @staticmethod
    def forward(_ctx: Any, tensor: Tensor) -> Tensor:  # noqa: ANN401 - autograd's
        return _mean(tensor)

    @staticmethod
    def backward(_ctx: Any, *gradients: Tensor) -> Tensor:  # noqa: ANN401
        # the training minimises the mean of all processes' losses; differentiable, since a
        # gradient penalty differentiates once more
        return all_reduce_mean(gradients[0])


def all_reduce_mean(tensor: Tensor) -> Tensor:
    """The elementwise mean over processes, differentiable; parts of a batch are of equal size."""
    if world_size() == 1:
        return tensor
    mean: Tensor = _Mean.apply(tensor)
    return mean


class MeanExchange:
    """Begins the exchange of tensors of one dtype and device; `wait` makes them their means."""

    @torch.no_grad()
    def __init__(self, tensors: Sequence[Tensor]) -> None:
        self._tensors = tensors
        self._work: Any = None
        if tensors and world_size() > 1:
            flat = torch.cat([tensor.reshape(-1) for tensor in tensors])
            self._total = flat.to(_wide(flat.dtype))
            with _lost_as_error():
                self._work = dist.all_reduce(self._total, async_op=True)

    @torch.no_grad()
    def wait(self) -> None:
        """Replaces the tensors by their means over processes."""
        if self._work is None:
            return
        with _lost_as_error():
            self._work.wait()
        means = torch.split(self._total / world_size(), [each.numel() for each in self._tensors])
        for tensor, mean in zip(self._tensors, means, strict=True):
            tensor.copy_(mean.view(tensor.shape))


@torch.no_grad()
def all_gather(rows: Tensor) -> Tensor:
    """Concatenates all processes' (N, ...) to (world size * N, ...), by rank; no gradient."""
    if world_size() == 1:
        return rows
    parts = [
        torch.empty_like(rows, memory_format=torch.contiguous_format) for _ in range(world_size())
    ]
    with _lost_as_error():
        dist.all_gather(parts, rows.contiguous())
    return torch.cat(parts)


def local_slice(total: int, where: str = "batch_size") -> slice:
    """This process's rows of a batch of `total`; a ConfigError at `where` if they are unequal."""
    rows, rest = divmod(total, world_size())
    if rest:
        sizes = [str(size * world_size()) for size in (rows, rows + 1) if size]
        raise ConfigError(
            f"{where}: cannot be divided equally among {world_size()} processes (got {total}). "
            f"Set {' or '.join(sizes)}."
        )
    return slice(rank() * rows, (rank() + 1) * rows)


def randn(shape: Sequence[int]) -> Tensor:
    """This process's rows, (N, ...), of the noise that one process draws for the whole batch."""
    rows, *rest = shape
    noise = torch.randn((rows * world_size(), *rest))
    return noise[local_slice(len(noise))]


def all_reduce_max(value: int) -> int:
    """The maximum over processes; also a barrier."""
    if world_size() == 1:
        return value
    largest = torch.tensor(value)
    with _lost_as_error():
        dist.all_reduce(largest, dist.ReduceOp.MAX, group=_host_group)
    return int(largest)


def broadcast(value: _T) -> _T:
    """The value of rank 0."""
    if world_size() == 1:
        return value
    values = [value]
    with _lost_as_error():
        dist.broadcast_object_list(values, src=0, group=_host_group)
    return values[0]
