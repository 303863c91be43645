import threading
import time

import pytest
import torch

from srmodels.data.batches.batch import Batch
from srmodels.engine.prefetch import Prefetcher
from tests.engine.toys import ToySource

CPU = torch.device("cpu")


def running() -> list[str]:
    return [each.name for each in threading.enumerate() if each.name.startswith("prefetch")]


@pytest.mark.parametrize("background", [True, False, None])
def test_a_steps_batch_is_the_sources_whichever_way_it_comes(background, device) -> None:
    source = ToySource()
    with Prefetcher(source.batch, range(3, 103), device=device, background=background) as batches:
        # what a step computes of a batch, while the next one is copied
        found = [(step, batch.lr.mul(2), batch.hr.mul(2), batch) for step, batch in batches]
    assert [step for step, *_ in found] == list(range(3, 103))
    for step, lr, hr, batch in found:
        wanted = source.batch(step)
        assert batch.lr.device.type == batch.hr.device.type == device.type
        assert torch.equal(lr.cpu(), 2 * wanted.lr)
        assert torch.equal(hr.cpu(), 2 * wanted.hr)


def test_a_batch_keeps_its_memory_format(device) -> None:
    lr, hr = (torch.rand(2, 3, side, side) for side in (4, 16))
    batch = Batch(*(x.contiguous(memory_format=torch.channels_last) for x in (lr, hr)), ("a",) * 2)
    with Prefetcher(lambda step: batch, range(2), device=device) as batches:
        for _, found in batches:
            assert found.hr.is_contiguous(memory_format=torch.channels_last)
            assert torch.equal(found.hr.cpu(), hr)


def test_the_next_batch_is_begun_while_a_step_computes_and_none_after_it() -> None:
    begun = {step: threading.Event() for step in range(4)}

    def batch_of(step):
        begun[step].set()
        return ToySource().batch(step)

    with Prefetcher(batch_of, range(4), device=CPU, background=True) as batches:
        next(iter(batches))
        assert begun[1].wait(5)
    assert not begun[2].is_set()


@pytest.mark.parametrize("background", [True, False])
def test_an_error_is_raised_at_its_own_step(background) -> None:
    def batch_of(step):
        if step == 2:
            raise OSError("the disk is gone")
        return ToySource().batch(step)

    taken = []

    def take_all(batches):
        for step, _ in batches:
            taken.append(step)

    with (
        Prefetcher(batch_of, range(5), device=CPU, background=background) as batches,
        pytest.raises(OSError, match="the disk is gone"),
    ):
        take_all(batches)
    assert taken == [0, 1]
    assert running() == []


def test_leaving_early_ends_the_thread() -> None:
    with Prefetcher(ToySource().batch, range(100), device=CPU, background=True) as batches:
        for step, _ in batches:
            if step == 2:
                break
        assert running()
    assert running() == []


def test_the_time_a_step_waits_for_its_batch_is_counted() -> None:
    def batch_of(step):
        time.sleep(0.03)
        return ToySource().batch(step)

    with Prefetcher(batch_of, range(3), device=CPU, background=False) as batches:
        list(batches)
    assert batches.pop_wait() >= 0.09
    assert batches.pop_wait() == 0


def test_gathering_beside_a_step_is_no_waiting() -> None:
    finished = [threading.Event() for _ in range(2)]

    def batch_of(step):
        time.sleep(0.2 * step)
        finished[step].set()
        return ToySource().batch(step)

    with Prefetcher(batch_of, range(2), device=CPU, background=True) as batches:
        for _ in batches:
            finished[1].wait(5)
    assert batches.pop_wait() < 0.2


def test_a_cpu_prefetches_nothing_unless_asked_to() -> None:
    with Prefetcher(ToySource().batch, range(2), device=CPU) as batches:
        next(iter(batches))
        assert running() == []
