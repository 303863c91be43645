"""What a step of training is given."""

from dataclasses import dataclass

from torch import Tensor

__all__ = ["Batch"]


@dataclass(frozen=True, slots=True)
class Batch:
    """Aligned pairs.

    Attributes:
        lr: (N, 3, p, p), float32 RGB in [0, 1]; channels last in memory.
        hr: (N, 3, scale p, scale p), the same.
        photos: Which photograph each pair comes from; where processes share a batch, those of the
            whole.
    """

    lr: Tensor
    hr: Tensor
    photos: tuple[str, ...]
