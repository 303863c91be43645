"""Loads the next step's batch onto the device while a step computes."""

import time
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import nullcontext

import torch
from torch import Tensor

from srmodels.data.batches.batch import Batch


class Prefetcher:
    """Iterates over (step, batch), the batch on the device; a context manager, which ends a thread.

    `batch_of` makes a step's batch on the CPU, in one thread at a time; its error is raised at its
    own step. On a CPU there is no thread by default, since it would take from the step the time
    that it saves.
    """

    def __init__(
        self,
        batch_of: Callable[[int], Batch],
        steps: Sequence[int],
        *,
        device: torch.device,
        background: bool | None = None,
    ) -> None:
        self._batch_of, self._steps, self._device = batch_of, steps, device
        cuda = device.type == "cuda"
        background = cuda if background is None else background
        self._thread = ThreadPoolExecutor(1, "prefetch") if background else None
        self._stream = torch.cuda.Stream(device) if cuda else None  # type: ignore[no-untyped-call]
        self._waited = 0.0

    def __enter__(self) -> "Prefetcher":
        return self

    def __exit__(self, *_: object) -> None:
        if self._thread is not None:
            self._thread.shutdown(cancel_futures=True)  # waits for the batch in progress

    def __iter__(self) -> Iterator[tuple[int, Batch]]:
        coming: Future[Batch] | None = None
        for place, step in enumerate(self._steps):
            start = time.perf_counter()
            if self._thread is None:
                batch = self._load(step)
            else:
                batch = (coming or self._thread.submit(self._load, step)).result()
            self._waited += time.perf_counter() - start
            if self._stream is not None:  # the step waits for the copies
                current = torch.cuda.current_stream(self._device)
                current.wait_stream(self._stream)
                for images in (batch.lr, batch.hr):
                    images.record_stream(current)
            if self._thread is not None and place + 1 < len(self._steps):
                coming = self._thread.submit(self._load, self._steps[place + 1])
            yield step, batch

    def pop_wait(self) -> float:
        """Seconds that steps have waited for batches since the last call."""
        waited, self._waited = self._waited, 0.0
        return waited

    def _load(self, step: int) -> Batch:
        batch = self._batch_of(step)
        # a stream of its own copies from pinned memory while the step computes
        with torch.cuda.stream(self._stream) if self._stream is not None else nullcontext():
            lr, hr = (self._to_device(images) for images in (batch.lr, batch.hr))
        return Batch(lr=lr, hr=hr, photos=batch.photos)

    def _to_device(self, images: Tensor) -> Tensor:
        if self._stream is None:
            return images.to(self._device)
        return images.pin_memory().to(self._device, non_blocking=True)
