"""A signal ends a training after its step, with its state saved."""

import logging
import signal
import threading

import pytest
import torch
from lightning_fabric import Fabric

from srmodels.engine.checkpoint.checkpoint import Checkpoints
from srmodels.engine.checkpoint.stop_signals import stop_requests
from srmodels.engine.settings import RunSettings
from tests.engine.toys import ToySource, trainer

TAKEN = (signal.SIGTERM, signal.SIGINT, signal.SIGUSR1)


class Signalled:
    """The toys' batches; a signal comes while that of a step is made."""

    def __init__(self, number: signal.Signals, step: int, times: int = 1) -> None:
        self.number, self.step, self.times = number, step, times

    def batch(self, step):
        for _ in range(self.times if step == self.step else 0):
            signal.raise_signal(self.number)
        return ToySource().batch(step)


def patient(path):
    """A trainer that saves at its end only, unless it is asked to stop."""
    fabric = Fabric(accelerator="cpu", devices=1, precision="32-true")
    path.mkdir(exist_ok=True)
    return trainer(fabric, Checkpoints(path), run=RunSettings(checkpoint_seconds=1e9))


@pytest.mark.parametrize("number", TAKEN)
def test_a_signal_ends_it_after_the_step_and_the_next_run_goes_on_bit_for_bit(
    number, tmp_path, caplog
) -> None:
    expected = patient(tmp_path / "whole").run(ToySource(), title="whole").state_dict()
    first = patient(tmp_path / "cut")
    with caplog.at_level(logging.INFO), pytest.raises(SystemExit) as left:
        first.run(Signalled(number, 4), title="first")
    assert left.value.code == 128 + number
    assert f"{number.name} at step 5 of 10: saved" in caplog.text
    again = patient(tmp_path / "cut")
    again.resume()
    assert again.state.step == 5
    found = again.run(ToySource(), title="again").state_dict()
    assert all(torch.equal(expected[key], found[key]) for key in expected)


def test_a_signal_in_the_last_step_is_heeded_too(tmp_path) -> None:
    with pytest.raises(SystemExit):
        patient(tmp_path / "run").run(Signalled(signal.SIGINT, 9), title="run")


def test_a_second_interrupt_ends_it_at_once(tmp_path) -> None:
    with pytest.raises(KeyboardInterrupt):
        patient(tmp_path / "run").run(Signalled(signal.SIGINT, 4, times=2), title="run")
    assert not (tmp_path / "run" / "checkpoint.pt").exists()


def test_handlers_are_put_back_afterwards() -> None:
    before = [signal.getsignal(number) for number in TAKEN]
    with stop_requests():
        assert all(signal.getsignal(n) != old for n, old in zip(TAKEN, before, strict=True))
    assert [signal.getsignal(number) for number in TAKEN] == before


def test_what_was_ignored_stays_ignored() -> None:
    before = signal.signal(signal.SIGINT, signal.SIG_IGN)
    try:
        with stop_requests() as requests:
            signal.raise_signal(signal.SIGINT)
        assert requests.received is None
    finally:
        signal.signal(signal.SIGINT, before)


def test_outside_the_main_thread_no_handler_is_touched() -> None:
    found = []

    def inside() -> None:
        with stop_requests():
            found.extend(signal.getsignal(number) for number in TAKEN)

    thread = threading.Thread(target=inside)
    thread.start()
    thread.join()
    assert found == [signal.getsignal(number) for number in TAKEN]
