"""Worker processes: their answers, their deaths, and that they end with their parent."""

import os
import signal
import subprocess
import sys
import time

import psutil
import pytest

from srmodels.data.patches.executor import Processes
from srmodels.data.patches.task import Task
from srmodels.data.photos.table import Photo
from srmodels.errors import DataError

pytestmark = pytest.mark.slow


def task(name):
    return Task(name, (Photo(name, "train", name, 1, ""),))


def obey(task):
    """What a process does with a task that is named after it."""
    if task.name == "die":
        os.kill(os.getpid(), signal.SIGKILL)
    if task.name == "hang":
        time.sleep(1000)
    if task.name == "user":
        raise DataError("the disk is full")
    if task.name == "programmer":
        raise ZeroDivisionError
    return os.getpid()


def ended(crew):
    (answer,) = crew.wait(60)
    return answer


def test_one_process_does_task_after_task():
    with Processes(obey, 1) as crew:
        found = []
        for name in ("one", "two"):
            assert crew.has_room()
            crew.give(task(name))
            assert not crew.has_room()
            found.append(ended(crew)[1])
    assert len(set(found)) == 1
    assert not psutil.pid_exists(found[0])


def test_a_death_concerns_one_task():
    with Processes(obey, 2) as crew:
        crew.give(task("hang"))
        crew.give(task("die"))
        assert ended(crew) == (task("die"), None)
        crew.give(task("one"))
        assert ended(crew)[1] is not None
        crew.kill(task("hang"))
        assert ended(crew) == (task("hang"), None)


def test_a_process_that_dies_at_rest_is_replaced():
    with Processes(obey, 1) as crew:
        crew.give(task("one"))
        first = ended(crew)[1]
        worker = psutil.Process(first)
        worker.kill()
        psutil.wait_procs([worker], timeout=20)
        crew.give(task("two"))
        assert ended(crew)[1] not in (first, None)


@pytest.mark.parametrize(
    ("name", "kind", "sentence"),
    [("user", DataError, "the disk is full"), ("programmer", RuntimeError, "in obey")],
)
def test_an_error_comes_through(name, kind, sentence):
    with Processes(obey, 1) as crew:
        crew.give(task(name))
        with pytest.raises(kind, match=sentence):
            crew.wait(60)


ORPHANS = """
import os
from srmodels.data.processes import Processes
from tests.data.patches.test_executor_processes import ended, obey, task
if __name__ == "__main__":
    with Processes(obey, 2) as crew:
        crew.give(task("one"))
        print(ended(crew)[1], flush=True)
        crew.give(task("hang"))
        crew.wait(1000)
"""


def test_processes_end_with_their_parent():
    command = [sys.executable, "-c", ORPHANS]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as parent:
        worker = psutil.Process(int(parent.stdout.readline()))
        parent.kill()
    assert psutil.wait_procs([worker], timeout=20)[1] == []
