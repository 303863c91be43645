import os
import subprocess
import sys
import time

import pytest

from srmodels.engine.threads import RunningTrainings, Threads, foreign_cores

HOLD = """
import sys, time
from pathlib import Path
from srmodels.engine.threads import RunningTrainings
with RunningTrainings(Path(sys.argv[1])).entered():
    print("in", flush=True)
    time.sleep(60)
"""


class Machine:
    """A machine of eight cores, on which a number of other trainings and busy programs run."""

    def __init__(self) -> None:
        self.now, self.threads, self.others, self.busy = 0.0, 8, 0, 0
        self.helps = True

    cores = frozenset(range(8))

    def count(self) -> int:
        return 1 + self.others

    def foreign(self) -> float:
        return float(self.busy)

    def speed(self) -> float:
        """Steps per second: all threads wait for one that has half a core."""
        slow = self.threads + self.busy > 8 and self.helps
        return self.threads / (3 if slow else 1)


def threads_on(machine: Machine, number: int = 0) -> Threads:
    def set_threads(number: int) -> None:
        machine.threads = number

    threads = Threads(
        number,
        machine,
        foreign=machine.foreign,
        clock=lambda: machine.now,
        set_threads=set_threads,
    )
    threads.most = number or 8
    threads.start(0)
    return threads


def train(machine: Machine, threads: Threads, first: int, steps: int) -> None:
    for step in range(first, first + steps):
        with threads.timed():
            machine.now += 1 / machine.speed()
        threads.update(step + 1)


def test_alone_it_keeps_all_threads_and_nothing_is_noted() -> None:
    machine = Machine()
    threads = threads_on(machine)
    train(machine, threads, 0, 2000)
    assert threads.changes == {"0": 8}


def test_beside_other_programs_it_takes_half_the_threads_and_says_so_once(caplog) -> None:
    caplog.set_level("INFO")
    machine = Machine()
    threads = threads_on(machine)
    machine.busy = 2
    train(machine, threads, 0, 1000)
    assert machine.threads == 4
    assert list(threads.changes.values())[:2] == [8, 4]  # all of them are tried again later
    assert caplog.text.count("4 threads are 1.5 times as fast as 8") == 1


def test_when_they_are_gone_it_takes_all_threads_again() -> None:
    machine = Machine()
    threads = threads_on(machine)
    machine.busy = 2
    train(machine, threads, 0, 300)
    assert machine.threads == 4
    machine.busy = 0
    train(machine, threads, 300, 1000)
    assert machine.threads == 8


def test_a_number_that_is_not_faster_is_taken_back_and_tried_ever_less() -> None:
    machine = Machine()
    threads = threads_on(machine)
    machine.busy, machine.helps = 2, False  # fewer threads are slower
    train(machine, threads, 0, 8 * 3600)
    tries = [step for step, number in threads.changes.items() if number == 4]
    assert machine.threads == 8
    assert 5 < len(tries) < 15


def test_two_trainings_share_the_cores(caplog) -> None:
    caplog.set_level("INFO")
    machine = Machine()
    machine.others = 1
    second = threads_on(machine)
    assert machine.threads == 4
    assert second.changes == {"0": 4}
    machine.others = 0
    first = threads_on(machine)
    machine.others = 1
    train(machine, first, 0, 100)
    assert machine.threads == 4
    assert "2 trainings run on 8 cores, so this one uses 4 of its 8 threads" in caplog.text


def test_a_fixed_number_stays() -> None:
    machine = Machine()
    threads = threads_on(machine, 6)
    machine.busy, machine.others = 4, 3
    train(machine, threads, 0, 500)
    assert threads.changes == {"0": 6}


def test_changes_are_part_of_a_checkpoint() -> None:
    machine = Machine()
    before = threads_on(machine)
    after = threads_on(machine, 2)
    after.load_state_dict(before.state_dict())
    after.start(500)
    assert after.changes == {"0": 8, "500": 2}


def test_trainings_on_these_cores_are_counted_until_they_end(tmp_path) -> None:
    here = RunningTrainings(tmp_path)
    assert here.count() == 1
    other = subprocess.Popen(
        [sys.executable, "-c", HOLD, tmp_path], stdout=subprocess.PIPE, text=True
    )
    try:
        assert other.stdout.readline() == "in\n"
        with here.entered():
            assert here.count() == 2
            elsewhere = RunningTrainings(tmp_path)
            elsewhere.cores = {4096}
            assert elsewhere.count() == 1
        assert here.count() == 1  # the other alone
    finally:
        other.kill()
        other.communicate()
    with here.entered():
        assert here.count() == 1
    assert not list(tmp_path.iterdir())


def test_a_moment_of_other_work_changes_nothing() -> None:
    machine = Machine()
    threads = threads_on(machine)
    for first in range(0, 2000, 100):
        machine.busy = 2 if first % 200 else 0  # four seconds each
        train(machine, threads, first, 11)
        machine.busy = 0
        train(machine, threads, first + 11, 89)
    assert threads.changes == {"0": 8}


@pytest.mark.skipif(sys.platform != "linux", reason="other systems do not count it")
def test_cores_that_other_programs_use_are_seen() -> None:
    cores = os.sched_getaffinity(0)
    foreign = foreign_cores(cores)
    busy = [subprocess.Popen([sys.executable, "-c", "while True: pass"]) for _ in cores]
    try:
        time.sleep(2)
        assert 0.5 * len(cores) < foreign() < 1.2 * len(cores)
    finally:
        for process in busy:
            process.kill()
            process.wait()
