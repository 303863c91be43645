"""Tasks on many processes, where the death of a process costs one photograph and not the run.

A process can die in a C library or at the hands of the system (out of memory). Python then breaks
the whole pool. Each task writes the photograph it is at into a small file, so the suspects are
known; each suspect task is repeated alone, and the photograph at which that one dies is left out.
"""

import multiprocessing
import os
from collections.abc import Callable, Iterable
from concurrent.futures import Future, ProcessPoolExecutor, wait
from concurrent.futures.process import BrokenProcessPool
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Generic, TypeVar

import pillow_heif
import torch
from tqdm import tqdm

from srmodels.data.photos import Photo
from srmodels.errors import DataError

__all__ = ["Diary", "Task", "cores", "run"]

R = TypeVar("R")


@dataclass(frozen=True, slots=True)
class Task:
    """Photographs that one process works through, in order.

    Attributes:
        name: Unique; names the task's files in the diary.
        photos: The photographs.
        killers: Those at which a process died: to be left out.
    """

    name: str
    photos: tuple[Photo, ...]
    killers: frozenset[str] = frozenset()


class Diary(Generic[R]):
    """Where tasks write how far they are; plain files, since those outlive a killed process."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def begin(self, task: Task, photo: Photo) -> None:
        """Notes the photograph that the task is at."""
        text = photo.photo.encode("utf-8", "surrogateescape")
        (self._folder / f"{task.name}.now").write_bytes(text)

    def done(self, task: Task, count: int) -> None:
        """Notes how many photographs the task has behind it."""
        (self._folder / f"{task.name}.count").write_text(str(count), encoding="ascii")

    def end(self, task: Task) -> None:
        """The task is at no photograph any more."""
        (self._folder / f"{task.name}.now").unlink(missing_ok=True)

    def at(self, task: Task) -> str | None:
        """The photograph the task was at, if it has not ended."""
        try:
            text = (self._folder / f"{task.name}.now").read_bytes()
        except FileNotFoundError:
            return None
        return text.decode("utf-8", "surrogateescape")

    def total(self) -> int:
        """How many photographs all tasks have behind them."""
        counts = [path.read_text(encoding="ascii") for path in self._folder.glob("*.count")]
        return sum(int(count or 0) for count in counts)


def cores() -> int:
    """How many cores this process may use."""
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1


def _one_thread() -> None:
    torch.set_num_threads(1)  # the processes are the parallel part
    pillow_heif.options.DECODE_THREADS = 1


def _executor(workers: int) -> ProcessPoolExecutor:
    # torch's threads do not survive a plain fork; a fork server has none and imports torch once
    known = multiprocessing.get_all_start_methods()
    context = multiprocessing.get_context("forkserver" if "forkserver" in known else "spawn")
    if "forkserver" in known:
        context.set_forkserver_preload(["srmodels.data.extract"])
    return ProcessPoolExecutor(workers, mp_context=context, initializer=_one_thread)


def _round(
    work: Callable[[Task], R], tasks: Iterable[Task], workers: int, tick: Callable[[], None]
) -> tuple[dict[str, R], bool]:
    """Runs tasks until all are done or a process dies; returns the results, and whether one did."""
    results: dict[str, R] = {}
    broken = False
    with _executor(workers) as pool:
        futures: dict[Future[R], Task] = {pool.submit(work, task): task for task in tasks}
        waiting = set(futures)
        try:
            while waiting:
                finished, waiting = wait(waiting, timeout=0.5, return_when="FIRST_COMPLETED")
                tick()
                for future in finished:
                    try:
                        results[futures[future].name] = future.result()
                    except BrokenProcessPool:
                        broken = True
        except BaseException:
            pool.shutdown(wait=True, cancel_futures=True)
            raise
    return results, broken


def _alone(work: Callable[[Task], R], task: Task, diary: "Diary[R]", tick: Callable[[], None]) -> R:
    """Repeats a suspect task by itself, each time without the photograph at which it died."""
    while True:
        diary.end(task)  # what the dead process had noted
        results, broken = _round(work, [task], 1, tick)
        if not broken:
            return results[task.name]
        killer = diary.at(task)
        if killer is None:
            raise DataError("patches: worker processes die before they begin; is memory exhausted?")
        task = replace(task, killers=task.killers | {killer})


def run(
    work: Callable[[Task], R], tasks: list[Task], *, workers: int, diary: "Diary[R]"
) -> dict[str, R]:
    """Runs every task; the results do not depend on the number of processes.

    Args:
        work: What a process does with a task; a module's function or a partial of one.
        tasks: The tasks.
        workers: Processes.
        diary: The one that `work` writes into.

    Returns:
        Results by the tasks' names.

    Raises:
        DataError: Processes die without having begun a photograph.
    """
    results: dict[str, R] = {}
    total = sum(len(task.photos) for task in tasks)
    with tqdm(total=total, desc="patches", unit="photo", disable=None) as bar:

        def tick() -> None:
            bar.update(diary.total() - bar.n)

        pending = sorted(tasks, key=lambda task: -sum(photo.bytes for photo in task.photos))
        while pending:
            found, broken = _round(work, pending, min(workers, len(pending)), tick)
            results |= found
            pending = [task for task in pending if task.name not in results]
            suspects = [task for task in pending if diary.at(task) is not None]
            if broken and not suspects:
                raise DataError("patches: worker processes die at the start; is memory exhausted?")
            for task in suspects:
                results[task.name] = _alone(work, task, diary, tick)
            pending = [task for task in pending if task.name not in results]
        tick()
    return results
