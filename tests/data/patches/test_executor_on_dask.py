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

from srmodels.data.patches.executor import Cluster
from srmodels.errors import DataError
from tests.data.patches.stuck import Stuck
from tests.data.patches.test_executor_processes import obey, task
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
        n_workers=2, threads_per_worker=1, dashboard_address=None
    ) as cluster:
        print(cluster.scheduler_address, flush=True)
        sys.stdin.read()
"""


@pytest.fixture(scope="module")
def scheduler():
    with subprocess.Popen(
        [sys.executable, "-c", CLUSTER],
        cwd=ROOT,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        text=True,
        start_new_session=True,
    ) as process:
        yield process.stdout.readline().strip()
        os.killpg(process.pid, signal.SIGKILL)


def answers(crew):
    end = time.monotonic() + 60
    while not (found := crew.wait(0.5)):
        assert time.monotonic() < end
    return found


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
    extracted(tmp_path, replace(SMALL, executor="dask", scheduler=scheduler, seconds_per_photo=8.0))
    ((photo, reason),) = counts(tmp_path)["skipped"].items()
    assert photo == photos[3].photo
    assert reason.startswith("takes longer")


def test_a_task_that_kills_every_worker_is_given_up_and_no_other(scheduler):
    with Cluster(obey, scheduler) as crew:
        crew.give(task("die"))
        assert answers(crew) == [(task("die"), None)]
        crew.give(task("one"))
        ((_, process),) = answers(crew)
        assert psutil.pid_exists(process)


def test_an_error_comes_through(scheduler):
    with Cluster(obey, scheduler) as crew:
        crew.give(task("user"))
        with pytest.raises(DataError, match="the disk is full"):
            answers(crew)


def test_a_scheduler_that_does_not_answer_is_named():
    with pytest.raises(DataError, match=r"patches\.scheduler: .*found tcp://127\.0\.0\.1:1:"):
        Cluster(obey, "tcp://127.0.0.1:1")


def test_without_dask_the_extra_is_named(monkeypatch):
    monkeypatch.setitem(sys.modules, "distributed", None)
    with pytest.raises(DataError, match=r"pip install 'srmodels\[cluster\]'"):
        Cluster(obey, "tcp://127.0.0.1:1")
