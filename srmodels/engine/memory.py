"""How much memory a training needs, measured before it begins on two and on three samples.

Whether a batch fits into the device: said before the first step, and again where it did not.
"""

import logging
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass

import torch
from torch import Tensor, nn
from torch.autograd.graph import saved_tensors_hooks

from srmodels.data.batches.batch import Batch
from srmodels.engine.settings import TrainSettings
from srmodels.engine.state import State
from srmodels.engine.step import freeze_all_but
from srmodels.errors import TrainingError
from srmodels.objectives.turn import Memo, Turn

__all__ = ["Memory", "MemoryCheck", "measure", "too_large"]

_MEBIBYTE = 2**20

_SPARE = 0.75  # the share a plan may fill: backward passes also want memory to work in


@dataclass(frozen=True, kw_only=True)
class Memory:
    """Bytes that a training holds at its fullest moment, when a player's backward pass begins.

    Attributes:
        parameters: Of all networks, buffers included.
        gradients: Of all that moves.
        optimizer: Adam's two averages of every gradient.
        average: The generator's running average.
        fixed: Kept for a backward pass whatever the batch, such as weights cast to bfloat16.
        sample: Kept for it for each sample of a batch: its activations.
    """

    parameters: int
    gradients: int
    optimizer: int
    average: int
    fixed: int
    sample: int

    def of(self, batch_size: int) -> int:
        """Bytes with so many samples in a batch."""
        standing = self.parameters + self.gradients + self.optimizer + self.average
        return standing + self.fixed + batch_size * self.sample

    def largest_batch(self, available: int) -> int:
        """The largest batch that fills three quarters of so many bytes; 0: not even one."""
        return max(0, int(_SPARE * available - self.of(0)) // max(1, self.sample))

    def summary(self, batch_size: int) -> str:
        """One line for people."""
        parts = {
            "parameters": self.parameters,
            "gradients": self.gradients,
            "optimizer": self.optimizer,
            "average": self.average,
            f"activations of {batch_size} samples": self.fixed + batch_size * self.sample,
        }
        listed = ", ".join(f"{name} {size / _MEBIBYTE:,.0f}" for name, size in parts.items())
        return f"memory: at least {self.of(batch_size) / _MEBIBYTE:,.0f} MiB ({listed})"


def _bytes(tensors: Iterator[Tensor]) -> int:
    return sum(each.numel() * each.element_size() for each in tensors)


@contextmanager
def _as_it_was(networks: Sequence[nn.Module]) -> Iterator[None]:
    """Puts buffers, such as batch norm's, and random numbers back."""
    kept = [(each, each.clone()) for network in networks for each in network.buffers()]
    with torch.random.fork_rng():
        yield
    with torch.no_grad():
        for buffer, value in kept:
            buffer.copy_(value)


def _kept_for_backward(turns: Sequence[Turn], batch: Batch, memo: Memo) -> int:
    """Bytes that the largest of the turns keeps for its backward pass, parameters left out."""
    ours = {
        p.untyped_storage().data_ptr() for t in turns for n in t.networks for p in n.parameters()
    }
    most = 0
    for turn in turns:
        storages: dict[int, int] = {}

        def note(tensor: Tensor, found: dict[int, int] = storages) -> Tensor:
            storage = tensor.untyped_storage()
            found[storage.data_ptr()] = storage.nbytes()
            return tensor

        freeze_all_but(turn.networks, turns)
        with saved_tensors_hooks(note, lambda tensor: tensor):
            losses = turn.losses(batch, memo)
        most = max(most, sum(size for place, size in storages.items() if place not in ours))
        del losses
    return most


def measure(
    networks: Mapping[str, nn.Module], turns: Sequence[Turn], batch: Batch, kept: Memo | None = None
) -> Memory:
    """What a training needs; nothing moves, and buffers and random numbers are as before.

    Args:
        networks: By role.
        turns: Whose losses are computed, forwards only.
        batch: Three samples or more, on the device.
        kept: What the turns would find under "kept/".
    """
    found = []
    with _as_it_was(list(networks.values())):
        for count in (2, 3):  # batch norm takes no single sample
            few = Batch(lr=batch.lr[:count], hr=batch.hr[:count], photos=batch.photos[:count])
            memo: Memo = {"step": torch.tensor(0), **(kept or {})}
            found.append(_kept_for_backward(turns, few, memo))
    sample = max(0, found[1] - found[0])
    parameters = _bytes(p for each in networks.values() for p in each.parameters())
    buffers = _bytes(b for each in networks.values() for b in each.buffers())
    generator = networks["generator"]
    return Memory(
        parameters=parameters + buffers,
        gradients=parameters,
        optimizer=2 * parameters,
        average=_bytes(generator.parameters()) + _bytes(generator.buffers()),
        fixed=max(0, found[0] - 2 * sample),
        sample=sample,
    )


def too_large(memory: Memory, batch_size: int, available: int) -> TrainingError:
    """What to raise where a batch did not fit: says which would.

    Args:
        memory: As measured.
        batch_size: What was tried.
        available: Bytes the device has.
    """
    fitting = min(memory.largest_batch(available), batch_size - 1)
    advice = f"batch_size {fitting} would" if fitting > 0 else "a smaller patch_size may"
    return TrainingError(
        f"training.batch_size: {batch_size} does not fit into the device's memory (at least "
        f"{memory.of(batch_size) / _MEBIBYTE:,.0f} of {available / _MEBIBYTE:,.0f} MiB); {advice}"
    )


log = logging.getLogger(__name__)


class MemoryCheck:
    """The memory a training needs, measured by a dry step on three samples of its first batch.

    Args:
        settings: Batch and parts.
    """

    def __init__(self, settings: TrainSettings) -> None:
        self._at_once = settings.batch_size // settings.accumulate
        self._memory: Memory | None = None

    def look(self, state: State, batch: Batch) -> None:
        """Measures and tells, where a batch has three samples or more; the state stays."""
        if len(batch.lr) < 3:
            return
        kept = {name: each.clone() for name, each in state.kept.items()}
        self._memory = measure(state.networks, state.turns, batch, kept)
        log.info("%s", self._memory.summary(self._at_once))

    @contextmanager
    def watched(self, device: torch.device) -> Iterator[None]:
        """Where the device's memory does not suffice, says which batch would fit.

        Raises:
            TrainingError: It did not.
        """
        try:
            yield
        except torch.OutOfMemoryError:
            if self._memory is None:
                raise
            available = torch.cuda.get_device_properties(device).total_memory
            raise too_large(self._memory, self._at_once, available) from None
