"""The queue of a study, with a double of DVC."""

import pytest

from srmodels.errors import TrainingError
from srmodels.study import queue
from srmodels.study.plan import Training

TRAININGS = [Training(name=f"t{k}", recipe="srgan", seed=k, settings=("seed=1",)) for k in range(3)]
STATUS = "Task     Name   Created    Status\n{rows}\n\nWorker status: {workers}\n"


class Queue:
    """DVC's queue: tasks by state; each pause finishes one that runs."""

    def __init__(self, monkeypatch, finished=(), **states):
        self.finished, self.states = list(finished), dict(states)
        self.commands, self.workers, self.time = [], "0 active, 0 idle", 0.0
        self.worker_dies = False
        monkeypatch.setattr(queue, "dvc", self.dvc)
        monkeypatch.setattr(queue, "experiment_names", lambda root: list(self.finished))
        monkeypatch.setattr(queue, "_start_workers", self.start)

    def dvc(self, *words, root, show=True):
        self.commands.append(" ".join(words))
        if words[:2] == ("queue", "status"):
            lines = [f"69a5ef6  {name}  03:54 PM  {state}" for name, state in self.states.items()]
            return STATUS.format(rows="\n".join(lines), workers=self.workers)
        if words[:2] == ("queue", "logs"):
            return "Running stage\nerror: pretrain: not finite\nERROR: failed to reproduce\n"
        if words[:2] == ("queue", "remove"):
            del self.states[words[2]]
        if words[:3] == ("exp", "run", "--queue"):
            self.states[words[4]] = "Queued"
        return ""

    def start(self, jobs, root):
        self.commands.append(f"queue start -j {jobs}")
        if not self.worker_dies:
            self.workers = f"{jobs} active, 0 idle"

    def pause(self, seconds):
        self.time += 70
        if self.workers[0] != "0":
            name = next((n for n, s in self.states.items() if s in ("Queued", "Running")), None)
            if name:
                self.states[name] = "Success"
                self.finished.append(name)

    def wait(self, tmp_path):
        queue.wait(TRAININGS, jobs=2, root=tmp_path, clock=lambda: self.time, pause=self.pause)


def test_what_is_finished_or_queued_is_left_and_what_failed_is_queued_again(monkeypatch, tmp_path):
    fake = Queue(monkeypatch, finished=["t0"], t1="Running", t2="Failed")
    queue.enqueue(TRAININGS, root=tmp_path)
    assert fake.commands[1:] == ["queue remove t2", "exp run --queue -n t2 -S seed=1"]


def test_workers_start_once_and_all_trainings_finish(monkeypatch, tmp_path, capsys):
    fake = Queue(monkeypatch)
    queue.enqueue(TRAININGS, root=tmp_path)
    fake.wait(tmp_path)
    assert fake.commands.count("queue start -j 2") == 1
    lines = capsys.readouterr().out.splitlines()
    assert lines[0] == "0 of 3 trainings finished"
    assert lines[1].startswith("1 of 3 trainings finished, about 1 minutes left")
    assert lines[-1] == "3 of 3 trainings finished"


def test_workers_of_an_interrupted_study_are_waited_for(monkeypatch, tmp_path):
    fake = Queue(monkeypatch, finished=["t0"], t1="Running", t2="Queued")
    fake.workers = "1 active, 0 idle"
    fake.wait(tmp_path)
    assert "queue start -j 2" not in fake.commands


def test_a_failed_training_is_one_line_with_the_stages_reason(monkeypatch, tmp_path):
    fake = Queue(monkeypatch, t0="Failed", t1="Queued", t2="Queued")
    with pytest.raises(TrainingError, match=r"t0: pretrain: not finite. See `dvc queue logs t0`"):
        fake.wait(tmp_path)


def test_workers_that_die_are_started_three_times(monkeypatch, tmp_path):
    fake = Queue(monkeypatch, t0="Queued", t1="Queued", t2="Queued")
    fake.worker_dies = True
    with pytest.raises(TrainingError, match="study: DVC's workers end without a result"):
        fake.wait(tmp_path)
    assert fake.commands.count("queue start -j 2") == 3
