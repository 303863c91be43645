"""Worker processes: their results, their deaths, and that they end with their parent."""

import ctypes
import os
import signal
import subprocess
import sys
import time
from functools import partial

import psutil
import pytest

from srmodels.data.executor.processes import ProcessExecutor
from srmodels.data.executor.run import run
from srmodels.data.executor.time_limit import ProgressNote
from srmodels.errors import DataError
from tests.data.executor.test_run import task

pytestmark = pytest.mark.slow


def obey(task):
    """Does what the name of a task says."""
    if task.name == "die":
        os.kill(os.getpid(), signal.SIGKILL)
    if task.name == "hang":
        time.sleep(1000)
    if task.name == "user":
        raise DataError("the disk is full")
    if task.name == "programmer":
        raise ZeroDivisionError
    return os.getpid()


def test_one_process_does_task_after_task():
    with ProcessExecutor(1) as executor:
        processes = {executor.submit(obey, task(name)).result(60) for name in ("one", "two")}
    assert len(processes) == 1
    assert not psutil.pid_exists(processes.pop())


def test_a_death_concerns_one_task():
    with ProcessExecutor(2) as executor:
        hanging = executor.submit(obey, task("hang"))
        dying = executor.submit(obey, task("die"))
        assert executor.result(dying) is None
        assert executor.submit(obey, task("one")).result(60)
        assert not hanging.done()
    assert executor.result(hanging) is None


def test_a_process_that_dies_at_rest_is_replaced(tmp_path):
    with ProcessExecutor(1) as executor:
        first = executor.submit(obey, task("one")).result(60)
        worker = psutil.Process(first)
        worker.kill()
        psutil.wait_procs([worker], timeout=20)
        found = []
        run(
            obey,
            [task("two")],
            executor,
            notes=tmp_path,
            seconds=0,
            keep=lambda task, process: found.append(process),
        )
    assert found[0] not in (first, None)


@pytest.mark.parametrize(
    ("name", "kind", "sentence"),
    [("user", DataError, "the disk is full"), ("programmer", ZeroDivisionError, "in obey")],
)
def test_an_error_comes_through_with_its_place(name, kind, sentence):
    with ProcessExecutor(1) as executor:
        future = executor.submit(obey, task(name))
        with pytest.raises(kind) as caught:
            executor.result(future)
    assert sentence in f"{caught.value} {caught.value.__cause__}"


def harm(task, notes):
    """Does what the names of the photographs say."""
    note = ProgressNote(notes, task, 2)
    for photo in [photo.photo for photo in task.photos if photo.photo not in task.excluded]:
        with note.begin(photo):
            if photo == "sleeps":
                time.sleep(1000)
            if photo == "holds the interpreter lock":
                ctypes.PyDLL(None).sleep(1000)
            if photo == "is killed":
                os.kill(os.getpid(), signal.SIGKILL)
            if photo == "crashes":
                ctypes.string_at(0)
            if photo.startswith("takes a second"):
                time.sleep(1.2)
    return task.excluded


@pytest.mark.skipif(sys.platform == "win32", reason="calls sleep of the C library")
def test_each_harmful_photograph_is_left_out_with_its_reason_and_no_other(tmp_path):
    tasks = [
        task("one", "a", "sleeps", "b", "holds the interpreter lock", "c"),
        task("two", "is killed", "d", "crashes"),
        task("three", "takes a second", "takes a second more", "takes a second again"),
    ]
    found = {}
    with ProcessExecutor(2) as executor:
        run(
            partial(harm, notes=tmp_path),
            tasks,
            executor,
            notes=tmp_path,
            seconds=2,
            keep=lambda task, result: found.update(result),
        )
    assert {photo: reason.split(" (")[0] for photo, reason in found.items()} == {
        "sleeps": "takes longer than 2 seconds",
        "holds the interpreter lock": "takes longer than 2 seconds",
        "is killed": "its decoder crashed or was killed, perhaps for lack of memory",
        "crashes": "its decoder crashed or was killed, perhaps for lack of memory",
    }


PARENT = """
from srmodels.data.executor.processes import ProcessExecutor
from tests.data.executor.test_processes import obey, task
if __name__ == "__main__":
    with ProcessExecutor(2) as executor:
        print(executor.submit(obey, task("one")).result(), flush=True)
        hanging = executor.submit(obey, task("hang"))
        executor.submit(obey, task("two")).result()
        hanging.result()
"""


@pytest.mark.parametrize("kind", ["kill", "interrupt"])
def test_processes_end_with_their_parent(kind):
    with subprocess.Popen(
        [sys.executable, "-c", PARENT],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        start_new_session=True,
    ) as parent:
        parent.stdout.readline()
        while len(family := psutil.Process(parent.pid).children(recursive=True)) < 4:
            time.sleep(0.05)  # the tracker, the fork server, two workers
        if kind == "kill":
            parent.kill()
        else:
            os.killpg(parent.pid, signal.SIGINT)  # as Ctrl-C does
        assert psutil.wait_procs(family, timeout=20)[1] == []
    assert parent.returncode
