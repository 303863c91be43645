"""The memory that a training needs, measured on samples of its first batch."""

import logging
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass

import torch
from torch import Tensor, nn
from torch.autograd.graph import saved_tensors_hooks

from srmodels.data.batches.batch import Batch
from srmodels.engine.nonfinite import BufferBackup
from srmodels.engine.settings import TrainSettings
from srmodels.engine.state import State
from srmodels.engine.step import freeze_all_but
from srmodels.errors import TrainingError
from srmodels.objectives.turn import Shared, Turn

log = logging.getLogger(__name__)

_MEBIBYTE = 2**20
_FILL = 0.75  # of the device's memory; backward passes need the rest


@dataclass(frozen=True, kw_only=True)
class Memory:
    """Peak memory of a training in bytes, at the beginning of a backward pass."""

    constant: dict[str, int]  # of parameters, gradients, optimizer and average
    fixed: int  # saved for backward whatever the batch, such as weights cast to bfloat16
    sample: int  # saved for backward for each sample: its activations

    def total(self, batch_size: int) -> int:
        """Bytes for a batch of this size."""
        return sum(self.constant.values()) + self.fixed + batch_size * self.sample

    def largest_batch(self, available: int) -> int:
        """The batch size that fills three quarters of `available` bytes; 0 if none does."""
        return max(0, int(_FILL * available - self.total(0)) // max(1, self.sample))

    def summary(self, batch_size: int) -> str:
        """A log line."""
        activations = {
            f"activations of {batch_size} samples": self.total(batch_size) - self.total(0)
        }
        parts = self.constant | activations
        listed = ", ".join(f"{name} {size / _MEBIBYTE:,.0f}" for name, size in parts.items())
        return f"memory: at least {self.total(batch_size) / _MEBIBYTE:,.0f} MiB ({listed})"


def _bytes(tensors: Iterable[Tensor]) -> int:
    return sum(tensor.numel() * tensor.element_size() for tensor in tensors)


def _saved_for_backward(turns: Sequence[Turn], batch: Batch, shared: Shared) -> int:
    """Bytes that the largest turn saves for its backward pass, without parameters."""
    networks = nn.ModuleList(network for turn in turns for network in turn.networks)
    parameters = {parameter.untyped_storage().data_ptr() for parameter in networks.parameters()}
    largest = 0
    for turn in turns:
        sizes: dict[int, int] = {}  # by address

        def note(tensor: Tensor, sizes: dict[int, int] = sizes) -> Tensor:
            storage = tensor.untyped_storage()
            sizes[storage.data_ptr()] = storage.nbytes()
            return tensor

        freeze_all_but(turn.networks, turns)
        with saved_tensors_hooks(note, lambda tensor: tensor):
            losses = turn.losses(batch, shared)
        saved = sum(size for address, size in sizes.items() if address not in parameters)
        largest = max(largest, saved)
        del losses
    return largest


def measure(
    networks: Mapping[str, nn.Module],
    turns: Sequence[Turn],
    batch: Batch,
    persistent: Shared | None = None,
) -> Memory:
    """Measures by forward passes on two and three samples; restores buffers and random states."""
    saved = []
    backup = BufferBackup(networks.values())
    backup.save()
    device = batch.lr.device
    with torch.random.fork_rng(devices=[device] if device.type == "cuda" else []):
        for count in (2, 3):  # batch norm needs two
            samples = Batch(lr=batch.lr[:count], hr=batch.hr[:count], photos=batch.photos[:count])
            shared: Shared = {"step": torch.tensor(0), **(persistent or {})}
            saved.append(_saved_for_backward(turns, samples, shared))
    backup.restore()
    sample = max(0, saved[1] - saved[0])
    every = nn.ModuleList(networks.values())
    parameters, generator = _bytes(every.parameters()), networks["generator"]
    constant = {
        "parameters": parameters + _bytes(every.buffers()),
        "gradients": parameters,
        "optimizer": 2 * parameters,  # Adam's two averages of each gradient
        "average": _bytes(generator.parameters()) + _bytes(generator.buffers()),
    }
    return Memory(constant=constant, fixed=max(0, saved[0] - 2 * sample), sample=sample)


def too_large(memory: Memory, batch_size: int, available: int) -> TrainingError:
    """The error for a batch that exceeds the `available` bytes; names a size that fits."""
    largest = min(memory.largest_batch(available), batch_size - 1)
    advice = f"Set batch_size {largest}" if largest > 0 else "Set a smaller patch_size"
    return TrainingError(
        f"training.batch_size: does not fit into the device's memory (got {batch_size}: at least "
        f"{memory.total(batch_size) / _MEBIBYTE:,.0f} of {available / _MEBIBYTE:,.0f} MiB). "
        f"{advice}."
    )


class MemoryCheck:
    """Logs the memory of a training, and explains out-of-memory errors."""

    def __init__(self, settings: TrainSettings) -> None:
        self._batch_size = settings.batch_size // settings.accumulate
        self._memory: Memory | None = None

    def measure(self, state: State, batch: Batch) -> None:
        """Measures and logs, if the batch has three samples or more; the state stays as it is."""
        if len(batch.lr) < 3:
            return
        persistent = state.persistent.clone()
        self._memory = measure(state.networks, state.turns, batch, persistent)
        log.info("%s", self._memory.summary(self._batch_size))

    @contextmanager
    def explain_errors(self, device: torch.device) -> Iterator[None]:
        """Turns an out-of-memory error into a TrainingError that names a batch size that fits."""
        try:
            yield
        except torch.OutOfMemoryError:
            if self._memory is None:
                raise
            available = torch.cuda.get_device_properties(device).total_memory
            raise too_large(self._memory, self._batch_size, available) from None
