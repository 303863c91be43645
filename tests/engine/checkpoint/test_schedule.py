from srmodels.engine.checkpoint import checkpoint


def schedule_and_clock(monkeypatch, *, seconds, steps=0):
    """A schedule and its clock, [seconds]."""
    clock = [0.0]
    monkeypatch.setattr(checkpoint.time, "perf_counter", lambda: clock[0])
    return checkpoint.CheckpointSchedule(seconds=seconds, steps=steps), clock


def test_a_checkpoint_is_due_after_the_seconds_asked_for(monkeypatch) -> None:
    schedule, clock = schedule_and_clock(monkeypatch, seconds=10)
    clock[0] = 9.9
    assert not schedule.due(7)
    clock[0] = 10.0
    assert schedule.due(7)
    schedule.saved(0.1)
    assert not schedule.due(8)


def test_a_slow_disk_gets_more_time(monkeypatch) -> None:
    schedule, clock = schedule_and_clock(monkeypatch, seconds=10)
    schedule.saved(2.0)
    clock[0] = 39.9
    assert not schedule.due(7)
    clock[0] = 40.0
    assert schedule.due(7)


def test_steps_count_beside_the_time(monkeypatch) -> None:
    schedule, _ = schedule_and_clock(monkeypatch, seconds=10, steps=3)
    assert [step for step in range(1, 8) if schedule.due(step)] == [3, 6]
