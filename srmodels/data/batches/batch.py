"""The input of a training step."""

from dataclasses import dataclass

from torch import Tensor


@dataclass(frozen=True, slots=True)
class Batch:
    """Aligned pairs, float32 RGB in [0, 1], channels last in memory."""

    lr: Tensor  # (N, 3, p, p)
    hr: Tensor  # (N, 3, scale p, scale p)
    photos: tuple[str, ...]  # of each pair; with several processes, of the whole batch
