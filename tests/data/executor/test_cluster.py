"""A dask cluster of two workers makes what this machine's processes make, also when one dies."""

import os
import signal
import subprocess
import sys
import threading
import time
from dataclasses import replace
from pathlib import Path

import psutil
import pytest

from srmodels.data.executor.cluster import DaskExecutor
from srmodels.data.executor.run import run
from srmodels.errors import DataError
from tests.data.executor.test_processes import obey
from tests.data.executor.test_run import task
from tests.data.patches.stuck import Stuck
from tests.data.patches.test_extract import SMALL, contents, counts, extracted, fresh, listing

pytest.importorskip("distributed")
pytestmark = pytest.mark.slow
ROOT = Path(__file__).parents[3]
needs_proc = pytest.mark.skipif(
    not Path("/proc/self/fd").exists(), reason="looks for the process in /proc"
)


# in a process of its own, which can be ended whatever state the tests have left its workers in
CLUSTER = """
import sys
import distributed
if __name__ == "__main__":
    with distributed.LocalCluster(
        n_workers=int(sys.argv[1]), threads_per_worker=int(sys.argv[2]), dashboard_address=None
    ) as cluster:
        print(cluster.scheduler_address, flush=True)
        sys.stdin.read()
"""


class Cluster:
    """A cluster of dask; `end` kills it."""

    def __init__(self, workers, threads):
        self.process = subprocess.Popen(
            [sys.executable, "-c", CLUSTER, f"{workers}", f"{threads}"],
            cwd=ROOT,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            text=True,
            start_new_session=True,
        )
        self.address = self.process.stdout.readline().strip()

    def end(self):
        os.killpg(self.process.pid, signal.SIGKILL)
        self.process.communicate()


@pytest.fixture(scope="module")
def scheduler():
    cluster = Cluster(2, 1)
    yield cluster.address
    cluster.end()


@pytest.fixture
def short_lived():
    """Makes a cluster for one test."""
    clusters = []

    def make(workers, threads):
        clusters.append(Cluster(workers, threads))
        return clusters[0]

    yield make
    if clusters[0].process.returncode is None:
        clusters[0].end()


@needs_proc
def test_one_worker_killed_the_patches_are_those_of_this_machine(scheduler, tmp_path):
    photos = listing(tmp_path / "photos", train=12, damaged=[4])
    stuck = Stuck(photos[3].path)
    killed = []

    def killer():
        killed.append(stuck.reader())
        stuck.mend()
        killed[0].kill()

    thread = threading.Thread(target=killer)
    thread.start()
    folder = extracted(tmp_path, replace(SMALL, executor="dask", scheduler=scheduler))
    thread.join()
    psutil.wait_procs(killed, timeout=20)
    metrics = {"metrics": (tmp_path / "metrics.json").read_bytes()}
    assert contents(folder) | metrics == fresh(tmp_path)


@needs_proc
def test_a_photograph_that_takes_too_long_is_left_out(scheduler, tmp_path):
    photos = listing(tmp_path / "photos", train=12)
    Stuck(photos[3].path)
    start = time.monotonic()
    extracted(tmp_path, replace(SMALL, executor="dask", scheduler=scheduler, seconds_per_photo=8.0))
    assert time.monotonic() - start < 40  # dask repeats the task, but not the photograph
    ((photo, reason),) = counts(tmp_path)["skipped"].items()
    assert photo == photos[3].photo
    assert reason.startswith("takes longer")


def test_a_task_that_kills_every_worker_is_given_up_and_no_other(scheduler):
    with DaskExecutor(scheduler) as executor:
        assert executor.result(executor.submit(obey, task("die"))) is None
        process = executor.result(executor.submit(obey, task("one")))
        assert psutil.pid_exists(process)


def test_an_error_comes_through(scheduler):
    with DaskExecutor(scheduler) as executor:
        future = executor.submit(obey, task("user"))
        with pytest.raises(DataError, match="the disk is full"):
            executor.result(future)


def test_a_scheduler_that_does_not_answer_is_named():
    with pytest.raises(DataError, match=r"patches\.scheduler: .*got tcp://127\.0\.0\.1:1:"):
        DaskExecutor("tcp://127.0.0.1:1")


def test_a_scheduler_that_is_lost_is_named(short_lived, tmp_path):
    cluster = short_lived(1, 1)
    thread = threading.Timer(2, cluster.end)
    with DaskExecutor(cluster.address) as executor:
        thread.start()
        with pytest.raises(DataError, match=r"patches\.scheduler: the connection is lost"):
            run(obey, [task("hang")], executor, notes=tmp_path, seconds=0, keep=print)
    thread.join()


def test_workers_with_several_threads_are_refused(short_lived):
    with (
        DaskExecutor(short_lived(1, 2).address) as executor,
        pytest.raises(DataError, match=r"got 2 threads at .*dask worker --nthreads 1"),
    ):
        executor.slots()
