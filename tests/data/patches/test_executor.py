"""What a death, a delay and a second chance lead to, with a crew that does as it is told."""

import pytest

from srmodels.data.patches import executor
from srmodels.data.patches.executor import run
from srmodels.data.patches.task import ProgressNote, Task
from srmodels.data.photos.table import Photo
from srmodels.errors import DataError


def task(name, *photos):
    return Task(name, tuple(Photo(photo, "train", photo, 1, "") for photo in photos))


class Crew:
    """Two processes; one dies at each photograph of `deadly`, so many times, or hangs at it."""

    def __init__(self, diary, deadly=None, hanging=()):
        self.diary, self.deadly, self.hanging = diary, dict(deadly or {}), set(hanging)
        self.given, self.seen, self.dead = [], [], []

    def has_room(self):
        return len(self.given) < 2

    def give(self, task):
        self.given.append(task)
        self.seen.append([each.name for each in self.given])

    def kill(self, task):
        self.given.remove(task)
        self.dead.append((task, None))

    def wait(self, seconds):
        ended, self.dead = self.dead, []
        return ended + [each for task in list(self.given) for each in self._work(task)]

    def _work(self, task):
        for done, photo in enumerate(task.photos):
            if photo.photo in task.left_out:
                continue
            if photo.photo != "before":
                self.diary.begin(task, photo, done=done)
            if photo.photo in self.hanging:
                return []
            if self.deadly.get(photo.photo, 0):
                self.deadly[photo.photo] -= 1
                self.given.remove(task)
                return [(task, None)]
        self.given.remove(task)
        return [(task, task.left_out)]


@pytest.fixture
def diary(tmp_path):
    return ProgressNote(tmp_path)


@pytest.fixture
def clock(monkeypatch):
    """Each look at the clock is a second later than the last."""
    times = iter(range(10000))
    monkeypatch.setattr(executor.time, "monotonic", lambda: next(times))


def results(tasks, crew, diary, limit=0.0):
    found = {}
    run(
        tasks, crew, diary, limit=limit, keep=lambda task, result: found.update({task.name: result})
    )
    return found


def test_a_photograph_that_kills_once_has_a_second_chance_alone(diary):
    tasks = [task("one", "a", "b"), task("two", "c"), task("three", "d")]
    crew = Crew(diary, {"b": 1})
    assert results(tasks, crew, diary) == {"one": {}, "two": {}, "three": {}}
    assert crew.seen[-1] == ["one"]


def test_a_photograph_that_kills_twice_is_left_out_and_no_other(diary):
    crew = Crew(diary, {"b": 9, "d": 9, "e": 9})
    found = results([task("one", "a", "b", "c", "d"), task("two", "e", "f")], crew, diary)
    assert {name: list(left_out) for name, left_out in found.items()} == {
        "one": ["b", "d"],
        "two": ["e"],
    }
    assert found["one"]["b"].startswith("its decoder crashed or was killed")


def test_a_photograph_that_takes_too_long_is_left_out_at_once(diary, clock):
    crew = Crew(diary, hanging=["b"])
    found = results([task("one", "a", "b", "c"), task("two", "d")], crew, diary, limit=10)
    assert found == {
        "one": {"b": "takes longer than 10 seconds (patches.seconds_per_photo)"},
        "two": {},
    }


def test_time_is_counted_for_each_photograph(diary, clock):
    crew = Crew(diary, hanging=["a"])
    waits = 0
    wait = crew.wait

    def move_on(seconds):
        nonlocal waits
        waits += 1
        if waits % 8 == 0:
            crew.hanging = {"abcd"[waits // 8]} if waits < 32 else set()
        return wait(seconds)

    crew.wait = move_on
    assert results([task("one", *"abcd")], crew, diary, limit=10) == {"one": {}}


def test_a_stopped_machine_is_not_held_against_a_photograph(diary, monkeypatch):
    times = iter([0, 1, 2, 9000, 9001, 9002])
    crew = Crew(diary, hanging=["a"])
    monkeypatch.setattr(
        executor.time, "monotonic", lambda: next(times, None) or crew.hanging.clear() or 9999
    )
    assert results([task("one", "a")], crew, diary, limit=30) == {"one": {}}


def test_a_photograph_that_was_done_when_its_process_was_killed_is_not_blamed(diary, clock):
    crew = Crew(diary, hanging=["a"])

    def kill(task):
        crew.hanging.clear()
        diary.begin(task, task.photos[1], done=1)
        Crew.kill(crew, task)

    crew.kill = kill
    assert results([task("one", "a", "b")], crew, diary, limit=5) == {"one": {}}


def test_processes_that_die_before_they_begin_are_an_error(diary):
    crew = Crew(diary, {"before": 99})
    with pytest.raises(DataError, match=r"die before they begin: memory .* or a script"):
        results([task("one", "before")], crew, diary)


def test_the_largest_task_is_given_first(diary):
    crew = Crew(diary)
    results([task("small", "a"), task("large", *"bcd"), task("middle", *"ef")], crew, diary)
    assert crew.seen[:2] == [["large"], ["large", "middle"]]


def test_no_process_waits_until_what_is_finished_has_been_put_away(diary):
    crew, busy = Crew(diary), []
    tasks = [task(name, name) for name in "abcd"]
    run(tasks, crew, diary, limit=0, keep=lambda *_: busy.append(len(crew.given)))
    assert busy == [2, 2, 0, 0]


def test_the_diary_tells_where_a_task_is_and_forgets(diary):
    photo = Photo("trip\n/\udcff.png", "train", "a.png", 1, "")
    one = Task("one", (photo,))
    assert diary.at(one) == (0, None)
    diary.begin(one, photo, done=3)
    assert diary.at(one) == (3, "trip\n/\udcff.png")
    diary.forget(one)
    assert diary.at(one) == (0, None)
