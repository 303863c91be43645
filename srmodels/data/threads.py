"""Work on several threads, in order, with a bar; and how many cores there are."""

import os
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import TypeVar

from tqdm import tqdm

__all__ = ["cores", "in_threads"]

T = TypeVar("T")
R = TypeVar("R")


def cores() -> int:
    """How many cores this process may use."""
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1


def in_threads(
    work: Callable[[T], R], photos: Sequence[T], *, workers: int | None, label: str
) -> Iterator[R]:
    """Yields what `work` makes of each photograph, in their order.

    Args:
        work: Called in a thread.
        photos: Whatever stands for the photographs.
        workers: Threads; None: as Python chooses.
        label: Of the bar.
    """
    with ThreadPoolExecutor(workers) as threads:
        try:
            each = threads.map(work, photos)
            yield from tqdm(each, label, len(photos), unit="photo", disable=None)
        except BaseException:  # else Ctrl-C waits for everything that has not begun
            threads.shutdown(cancel_futures=True)
            raise
