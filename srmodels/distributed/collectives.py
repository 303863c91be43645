"""Processes that train as one: each has its part of every batch, and all have the same networks.

What they compute together stands here. Each calls it at the same places in the same order, with
tensors of the same shapes; a process that is alone gets back what it gave. What is drawn at random
comes from generators that are in the same state everywhere.
"""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from datetime import timedelta
from typing import Any, TypeVar

import torch
import torch.distributed as dist
from torch import Tensor

from srmodels.errors import ConfigError, TrainingError

__all__ = [
    "LostError",
    "all_gather",
    "all_reduce_max",
    "all_reduce_mean",
    "average_",
    "begin",
    "broadcast",
    "exit_together",
    "is_main_process",
    "local_slice",
    "randn",
    "rank",
    "world_size",
]

_T = TypeVar("_T")
_FAILED = "srmodels/failed"
_host: Any = None  # a ProcessGroup that talks about CPU values; None: the one there is does


class LostError(TrainingError):
    """Another process of this training has failed, died or no longer answers."""


def world_size() -> int:
    """How many processes train together; 1 where none were launched."""
    return dist.get_world_size() if dist.is_available() and dist.is_initialized() else 1


def rank() -> int:
    """Which of them this is, from 0."""
    return dist.get_rank() if world_size() > 1 else 0


def is_main_process() -> bool:
    """Whether this is the process that writes and speaks."""
    return rank() == 0


def begin(timeout: timedelta) -> None:
    """Opens a second way to talk beside the devices' own, once all processes have met."""
    global _host  # noqa: PLW0603 - as the default group, which is PyTorch's
    nccl = world_size() > 1 and dist.get_backend() != "gloo"
    _host = dist.new_group(backend="gloo", timeout=timeout) if nccl else None


def _reason() -> str:
    """What a process that failed has left to tell; nothing where it could not."""
    with suppress(Exception):  # the store may have gone with the process that kept it
        store = dist.distributed_c10d._get_default_store()
        if store.check([_FAILED]):
            return store.get(_FAILED).decode()
    return "it was killed, or its own last lines tell"


@contextmanager
def _talking() -> Iterator[None]:
    try:
        yield
    except RuntimeError as error:  # what PyTorch raises where a connection ends or times out
        first = str(error).partition("\n")[0]
        line = (first.partition("] ")[2] or first)[:120]  # without the place in PyTorch's source
        raise LostError(
            f"process {rank()} of {world_size()}: another process has ended or does not answer "
            f"({_reason()}); the same command goes on from the last checkpoint [{line}]"
        ) from None


@contextmanager
def exit_together() -> Iterator[None]:
    """The processes leave this block together; one that fails tells the others why."""
    try:
        yield
    except Exception as error:
        if world_size() > 1 and not isinstance(error, LostError):
            with suppress(Exception):
                store = dist.distributed_c10d._get_default_store()
                store.set(_FAILED, f"process {rank()}: {error or repr(error)}")
        raise
    if world_size() > 1:
        all_reduce_max(0)
        dist.destroy_process_group()


def _mean(tensor: Tensor) -> Tensor:
    # at least float32, as bfloat16 would lose digits and not every backend adds it up
    wide = torch.promote_types(tensor.dtype, torch.float32)
    total = tensor.to(wide, copy=True, memory_format=torch.contiguous_format)
    with _talking():
        dist.all_reduce(total)
    return (total / world_size()).to(tensor.dtype)


class _Mean(torch.autograd.Function):
    """A mean over processes that each process's loss may look at."""

    @staticmethod
    def forward(_ctx: Any, tensor: Tensor) -> Tensor:  # noqa: ANN401 - autograd's
        return _mean(tensor)

    @staticmethod
    def backward(_ctx: Any, *gradients: Tensor) -> Tensor:  # noqa: ANN401
        # what is descended is the mean of all processes' losses, and each looks at this mean
        return all_reduce_mean(gradients[0])  # as a penalty descends gradients themselves


def all_reduce_mean(tensor: Tensor) -> Tensor:
    """The mean over processes, elementwise; gradients go back to every process's tensor.

    As parts of a batch are of one size, the mean of their means is the batch's.
    """
    if world_size() == 1:
        return tensor
    mean: Tensor = _Mean.apply(tensor)
    return mean


@torch.no_grad()
def average_(tensors: Sequence[Tensor]) -> None:
    """Replaces tensors of one kind on one device by their means over processes, in one exchange."""
    if world_size() == 1:
        return
    flat = _mean(torch.cat([each.reshape(-1) for each in tensors]))
    means = torch.split(flat, [each.numel() for each in tensors])
    for each, mean in zip(tensors, means, strict=True):
        each.copy_(mean.view(each.shape))


@torch.no_grad()
def all_gather(rows: Tensor) -> Tensor:
    """All processes' (N, ...) as one (count * N, ...), in the order of the batch; no gradient."""
    if world_size() == 1:
        return rows
    parts = [
        torch.empty_like(rows, memory_format=torch.contiguous_format) for _ in range(world_size())
    ]
    with _talking():
        dist.all_gather(parts, rows.contiguous())
    return torch.cat(parts)


def local_slice(total: int, where: str = "batch_size") -> slice:
    """Which rows of a batch are this process's.

    Args:
        total: Of the whole batch.
        where: The key that said so, for the error.

    Raises:
        ConfigError: The batch has no equal parts for all.
    """
    each, rest = divmod(total, world_size())
    if rest:
        right = [str(size * world_size()) for size in (each, each + 1) if size]
        raise ConfigError(
            f"{where}: is not to be shared equally among {world_size()} processes (found {total}); "
            f"{' or '.join(right)} would be"
        )
    return slice(rank() * each, (rank() + 1) * each)


def randn(shape: Sequence[int], *, generator: torch.Generator | None = None) -> Tensor:
    """This process's rows of the noise that one process would draw for the whole batch.

    Args:
        shape: (N, ...) of these rows.
        generator: Of the CPU; None is PyTorch's own. All processes' are in the same state.
    """
    rows, *rest = shape
    noise = torch.randn((rows * world_size(), *rest), generator=generator)
    return noise[local_slice(len(noise))]


def all_reduce_max(value: int) -> int:
    """The largest of the processes' values; none goes on before all have come here."""
    if world_size() == 1:
        return value
    largest = torch.tensor(value)
    with _talking():
        dist.all_reduce(largest, dist.ReduceOp.MAX, group=_host)
    return int(largest)


def broadcast(value: _T) -> _T:
    """What the leading process has; the others' own is not looked at."""
    if world_size() == 1:
        return value
    box = [value]
    with _talking():
        dist.broadcast_object_list(box, src=0, group=_host)
    return box[0]
