"""What deaths and time-outs lead to, with an executor that dies where it is told to."""

import sys
from concurrent.futures import Future

import pytest

from srmodels.data.executor.cluster import DaskExecutor
from srmodels.data.executor.run import run
from srmodels.data.executor.task import Task
from srmodels.data.executor.time_limit import ProgressNote
from srmodels.data.photos.table import Photo
from srmodels.errors import DataError


def task(name, *photos):
    return Task(name, tuple(Photo(photo, "train", photo, 1, "") for photo in photos))


class DeathError(Exception):
    """The end of a worker process."""


class FakeExecutor:
    """Two processes in this one; one dies at each photograph of `deadly`, so many times.

    At the photographs of `slow` the watchdog ends it; at "before" it dies before it begins.
    """

    def __init__(self, notes, deadly=None, slow=()):
        self.notes, self.deadly, self.slow = notes, dict(deadly or {}), set(slow)
        self.running, self.seen = {}, []

    def slots(self):
        return 2

    def submit(self, work, task):
        future = Future()
        self.running[future] = task.name
        self.seen.append(list(self.running.values()))
        try:
            future.set_result(work(task))
        except DeathError:
            future.set_result(None)
        return future

    def result(self, future):
        del self.running[future]
        return future.result()

    def work(self, task):
        note = ProgressNote(self.notes, task, 0)
        for photo in [photo.photo for photo in task.photos]:
            if photo in task.excluded:
                continue
            if photo == "before":
                raise DeathError
            with note.begin(photo):
                if photo in self.slow:
                    with (self.notes / f"{task.name}.note").open("a") as file:
                        file.write("Timeout (0:00:10)!\nThread 0x1 (most recent call first):\n")
                    raise DeathError
                if self.deadly.get(photo, 0):
                    self.deadly[photo] -= 1
                    raise DeathError
        return task.excluded


def results(tasks, fake):
    found = {}
    run(
        fake.work,
        tasks,
        fake,
        notes=fake.notes,
        seconds=10,
        keep=lambda task, result: found.update({task.name: result}),
    )
    return found


def test_a_photograph_that_kills_once_has_a_second_chance_alone(tmp_path):
    tasks = [task("one", "a", "b"), task("two", "c"), task("three", "d")]
    fake = FakeExecutor(tmp_path, {"b": 1})
    assert results(tasks, fake) == {"one": {}, "two": {}, "three": {}}
    assert fake.seen[-1] == ["one"]


def test_a_photograph_that_kills_twice_is_left_out_and_no_other(tmp_path):
    fake = FakeExecutor(tmp_path, {"b": 9, "d": 9, "e": 9})
    found = results([task("one", "a", "b", "c", "d"), task("two", "e", "f")], fake)
    assert {name: list(excluded) for name, excluded in found.items()} == {
        "one": ["b", "d"],
        "two": ["e"],
    }
    assert found["one"]["b"].startswith("its decoder crashed or was killed")


def test_a_photograph_that_takes_too_long_is_left_out_at_once(tmp_path):
    fake = FakeExecutor(tmp_path, slow=["b"])
    assert results([task("one", "a", "b", "c"), task("two", "d")], fake) == {
        "one": {"b": "takes longer than 10 seconds (patches.seconds_per_photo)"},
        "two": {},
    }
    assert [names[-1] for names in fake.seen].count("one") == 2


def test_of_a_slow_photograph_and_a_deadly_one_each_has_its_own_reason(tmp_path):
    fake = FakeExecutor(tmp_path, {"a": 9, "c": 9}, slow=["b"])
    (excluded,) = results([task("one", *"abcd")], fake).values()
    assert {photo: reason.split()[0] for photo, reason in excluded.items()} == {
        "a": "its",
        "b": "takes",
        "c": "its",
    }


def test_processes_that_die_before_they_begin_are_an_error(tmp_path):
    fake = FakeExecutor(tmp_path)
    with pytest.raises(DataError, match=r"die before they begin: memory .* or a script"):
        results([task("one", "before")], fake)


def test_the_largest_task_is_submitted_first(tmp_path):
    fake = FakeExecutor(tmp_path)
    results([task("small", "a"), task("large", *"bcd"), task("middle", *"ef")], fake)
    assert fake.seen[:2] == [["large"], ["large", "middle"]]


def test_no_process_waits_until_results_are_stored(tmp_path):
    fake, busy = FakeExecutor(tmp_path), []
    tasks = [task(name, name) for name in "abcd"]

    def keep(*_):
        busy.append(len(fake.running))

    run(fake.work, tasks, fake, notes=tmp_path, seconds=0, keep=keep)
    assert busy == [2, 2, 0, 0]


def test_a_note_lists_what_a_task_has_begun_and_forgets(tmp_path):
    note = ProgressNote(tmp_path, task("one", "a"), 5)
    assert note.read() == ([], {})
    for photo in ("trip\n/\udcff.png", 'Timeout (0:00:01)!"'):
        with note.begin(photo):
            pass
    assert note.read() == (["trip\n/\udcff.png", 'Timeout (0:00:01)!"'], {})
    note.clear()
    assert note.read() == ([], {})


def test_a_note_blames_the_photograph_that_was_under_way(tmp_path):
    note = ProgressNote(tmp_path, task("one", "a"), 5)
    for photo in "ab":
        with note.begin(photo):
            pass
    with (tmp_path / "one.note").open("a") as file:
        file.write("Timeout (0:00:05)!\n")
    assert list(note.read()[1]) == ["b"]


def test_without_dask_the_extra_is_named(monkeypatch):
    monkeypatch.setitem(sys.modules, "distributed", None)
    with pytest.raises(DataError, match=r"pip install 'srmodels\[cluster\]'"):
        DaskExecutor("tcp://127.0.0.1:1")
