"""The workers of a dask cluster."""

import logging
import socket
from collections.abc import Callable
from concurrent.futures import CancelledError, Executor, Future
from typing import ParamSpec, TypeVar

from srmodels.data.executor.task import use_one_thread
from srmodels.errors import DataError

log = logging.getLogger(__name__)

P = ParamSpec("P")
R = TypeVar("R")
_TIMEOUT = 20.0  # seconds for an answer of the scheduler


def _single_threaded(work: Callable[P, R], *args: P.args, **kwargs: P.kwargs) -> R:
    use_one_thread()
    return work(*args, **kwargs)


class DaskExecutor(Executor):
    """The workers of a dask cluster, by `Client.get_executor`.

    Workers need one thread each, this package and its libraries in the same versions as here, and
    the photographs and patches under the same absolute paths. dask itself repeats the task of a
    dead worker; by default the fourth death is what `result` reports.
    """

    def __init__(self, scheduler: str) -> None:
        try:
            import distributed  # an optional package
        except ImportError:
            raise DataError(
                "patches.executor: dask is not installed. Run pip install 'srmodels[cluster]', or "
                "set patches.executor to processes."
            ) from None
        self._scheduler, self._killed = scheduler, distributed.scheduler.KilledWorker
        try:
            # a dask client that could not connect would retry forever
            address = distributed.comm.get_address_host_port(scheduler)
            socket.create_connection(address, _TIMEOUT).close()
            self._client = distributed.Client(scheduler, timeout=_TIMEOUT, set_as_default=False)
        except (OSError, ValueError) as error:
            raise DataError(
                f"patches.scheduler: no dask scheduler answers (got {scheduler}: {error}). Start "
                "one, or set patches.executor to processes."
            ) from None
        # pure tasks would get the result of their first run when repeated
        self._executor = self._client.get_executor(pure=False)
        log.info("%d dask workers at %s", len(self._client.nthreads()), scheduler)

    def slots(self) -> int:
        """How many tasks may run at a time: two per worker, so that none waits for the next."""
        try:
            threads: dict[str, int] = self._client.nthreads()
        except OSError as error:
            raise self._lost(error) from None
        for worker, count in threads.items():
            if count > 1:  # a death and the time limit concern a whole process
                raise DataError(
                    f"patches.scheduler: a worker runs several tasks at a time (got {count} "
                    f"threads at {worker}). Start the workers with `dask worker --nthreads 1`."
                )
        return 2 * max(1, len(threads))

    def submit(self, work: Callable[P, R], /, *args: P.args, **kwargs: P.kwargs) -> Future[R]:
        """Runs a call on some worker."""
        future: Future[R] = self._executor.submit(_single_threaded, work, *args, **kwargs)
        return future

    def result(self, future: Future[R]) -> R | None:
        """The result of a call; None if its workers died."""
        try:
            return future.result()
        except self._killed:
            return None
        except CancelledError as error:
            raise self._lost(error) from None
        except ImportError as error:
            raise DataError(
                f"patches.scheduler: a worker lacks a package (got {error}). Install it there."
            ) from None

    def _lost(self, error: Exception) -> DataError:
        return DataError(
            f"patches.scheduler: the connection is lost (got {self._scheduler}: "
            f"{type(error).__name__}). Start it and repeat; finished tasks stay."
        )

    def shutdown(self, wait: bool = True, *, cancel_futures: bool = False) -> None:  # noqa: ARG002
        """Cancels the tasks and disconnects."""
        self._executor.shutdown(wait=False)
        self._client.close()
