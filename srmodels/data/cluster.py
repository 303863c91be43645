"""The workers of a dask cluster, for those who have one: the same work with the same results.

The workers need this package and its libraries in the same versions as here, and must see the
photographs and the patches under the same absolute paths: one file system. Each should have one
thread (`dask worker --nthreads 1`), so that a death concerns one task. dask repeats the task of a
dead worker elsewhere; one that it gives up, by default after the fourth death, is then treated as
that of a dead process on one machine is.
"""

import logging
import socket
from collections.abc import Callable
from contextlib import suppress
from types import TracebackType
from typing import Any, Generic, TypeVar

from srmodels.data.diary import Task
from srmodels.data.processes import one_thread
from srmodels.errors import DataError

__all__ = ["Cluster"]

log = logging.getLogger(__name__)

R = TypeVar("R")
_PATIENCE = 20.0  # seconds, for an answer


def _dask() -> Any:  # noqa: ANN401 - an optional package
    try:
        import distributed  # only where it is asked for
    except ImportError:
        raise DataError(
            "patches.executor: dask is not installed; pip install 'srmodels[cluster]', or set it "
            "to processes"
        ) from None
    return distributed


def _serve(work: Callable[[Task], R], task: Task) -> R:
    one_thread()
    return work(task)


class Cluster(Generic[R]):
    """A crew of dask's workers; see `srmodels.data.pool.Crew`.

    Args:
        work: What a worker does with a task; a module's function or a partial of one.
        scheduler: The address of dask's scheduler.

    Raises:
        DataError: dask is not installed, or nobody answers at that address.
    """

    def __init__(self, work: Callable[[Task], R], scheduler: str) -> None:
        self._work, self._scheduler, self._dask = work, scheduler, _dask()
        self._tasks: dict[Any, Task] = {}
        self._killed: list[Task] = []
        try:
            # without this, a client that could not connect would keep trying until the end
            place = self._dask.comm.get_address_host_port(scheduler)
            socket.create_connection(place, _PATIENCE).close()
            self._client = self._dask.Client(scheduler, timeout=_PATIENCE, set_as_default=False)
        except (OSError, ValueError) as error:
            raise DataError(
                f"patches.scheduler: no scheduler of dask answers (found {scheduler}: {error}); "
                "start one, or set patches.executor to processes"
            ) from None
        log.info("%d workers of dask at %s", len(self._client.nthreads()), scheduler)

    def __enter__(self) -> "Cluster[R]":
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._client.cancel(list(self._tasks))
        self._client.close()

    def has_room(self) -> bool:
        """Whether some worker would run out of tasks.

        Raises:
            DataError: The scheduler is lost.
        """
        try:
            threads: int = sum(self._client.nthreads().values())
        except OSError as error:
            raise self._lost(error) from None
        return len(self._tasks) < 2 * max(1, threads)

    def give(self, task: Task) -> None:
        """Hands a task to dask."""
        # else dask would take a repeated task for the one that it has already done
        future = self._client.submit(_serve, self._work, task, pure=False)
        self._tasks[future] = task

    def wait(self, seconds: float) -> list[tuple[Task, R | None]]:
        """Waits until a task ends; see `Crew.wait`.

        Raises:
            SrmodelsError: A task's work raised it.
            DataError: The scheduler is lost, or the workers cannot do such work.
        """
        ended: list[tuple[Task, R | None]] = [(task, None) for task in self._killed]
        self._killed.clear()
        if futures := list(self._tasks):
            try:
                with self._client.as_current():
                    done = self._dask.wait(futures, seconds, "FIRST_COMPLETED").done
                ended += [(self._tasks.pop(future), self._result_of(future)) for future in done]
            except TimeoutError:
                pass
            except (OSError, self._dask.client.FuturesCancelledError) as error:
                raise self._lost(error) from None
        return ended

    def _lost(self, error: Exception) -> DataError:
        return DataError(
            f"patches.scheduler: lost (found {self._scheduler}: {type(error).__name__}); start it "
            "again and repeat, which goes on with what is missing"
        )

    def _result_of(self, future: Any) -> R | None:  # noqa: ANN401 - one of dask's
        error = future.exception()
        if isinstance(error, ImportError):
            raise DataError(f"patches.scheduler: a worker lacks the package here ({error})")
        if isinstance(error, self._dask.scheduler.KilledWorker):
            return None
        result: R = future.result()
        return result

    def kill(self, task: Task) -> None:
        """Kills the worker that is at a task; its nanny, where it has one, starts another."""
        future = next(future for future, its in self._tasks.items() if its.name == task.name)
        busy = self._client.processing().items()
        workers = [address for address, keys in busy if future.key in keys]
        self._killed.append(self._tasks.pop(future))
        future.cancel(force=True)  # first, or dask repeats it elsewhere
        with suppress(TimeoutError):
            self._client.restart_workers(workers, timeout=_PATIENCE, raise_for_error=False)
