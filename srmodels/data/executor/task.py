"""A task: photographs that one process works through."""

from dataclasses import dataclass, field

import pillow_heif

from srmodels.data.photos.table import Photo


@dataclass(frozen=True, slots=True)
class Task:
    """Photographs that one process works through, in order."""

    name: str  # unique
    photos: tuple[Photo, ...]
    excluded: dict[str, str] = field(default_factory=dict)  # photographs to skip, with the reason
    alone: bool = False  # no other task may run at the same time


def use_one_thread() -> None:
    """Limits the decoders of this process to one thread each."""
    pillow_heif.options.DECODE_THREADS = 1  # the processes are the parallel part
