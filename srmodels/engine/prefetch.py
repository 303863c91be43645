"""Batches on the device one step ahead: while a step computes, the next one's batch is gathered."""

import time
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from types import TracebackType

import torch
from torch import Tensor

from srmodels.data.batches.batch import Batch

__all__ = ["Prefetcher"]


class Prefetcher:
    """The batches of steps in their order; used in a `with`, which ends its thread.

    What a step gets is `batch_of(step)` whichever way it comes, so results are the same. An error
    in there is raised when its step is asked for, not a step early. Where a CPU computes, nothing
    runs ahead unless asked for: gathering would take from the computing what it saves.

    Args:
        batch_of: From a step to its batch, on the CPU; called by one thread at a time.
        steps: Which steps, in which order.
        device: Where the batches go.
        background: Whether a thread gathers the next batch; None: on CUDA only.
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
        if background is None:
            background = device.type == "cuda"
        self._thread = ThreadPoolExecutor(1, "ahead") if background else None
        self._copies: torch.cuda.Stream | None = None
        if device.type == "cuda":
            self._copies = torch.cuda.Stream(device)  # type: ignore[no-untyped-call]
        self._waited = 0.0

    def __enter__(self) -> "Prefetcher":
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        if self._thread is not None:
            self._thread.shutdown(cancel_futures=True)  # waits for the batch that is being made

    def __iter__(self) -> Iterator[tuple[int, Batch]]:
        """(step, batch), the batch on the device; the next one is begun before this is given."""
        if self._thread is None:
            for step in self._steps:
                yield step, self._timed(lambda step=step: self._moved(step))  # type: ignore[misc]
            return
        coming: Future[Batch] | None = None
        for place, step in enumerate(self._steps):
            now = coming or self._thread.submit(self._moved, step)
            batch = self._timed(now.result)
            self._settle(batch)
            later = self._steps[place + 1 : place + 2]
            coming = self._thread.submit(self._moved, later[0]) if later else None
            yield step, batch

    def take_wait(self) -> float:
        """Seconds that steps have waited for their batches since this was last asked."""
        waited, self._waited = self._waited, 0.0
        return waited

    def _timed(self, give: Callable[[], Batch]) -> Batch:
        start = time.perf_counter()
        batch = give()
        self._waited += time.perf_counter() - start
        return batch

    def _moved(self, step: int) -> Batch:
        batch = self._batch_of(step)
        if self._copies is None:
            lr, hr = (each.to(self._device) for each in (batch.lr, batch.hr))
        else:  # a copy out of pinned memory goes on beside the computing, in a stream of its own
            with torch.cuda.stream(self._copies):
                lr, hr = (self._sent(each) for each in (batch.lr, batch.hr))
        return Batch(lr=lr, hr=hr, photos=batch.photos)

    def _sent(self, images: Tensor) -> Tensor:
        return images.pin_memory().to(self._device, non_blocking=True)

    def _settle(self, batch: Batch) -> None:
        """Lets the computing wait for the copies, and their memory for the computing."""
        if self._copies is None:
            return
        computing = torch.cuda.current_stream(self._device)
        computing.wait_stream(self._copies)
        for images in (batch.lr, batch.hr):
            images.record_stream(computing)
