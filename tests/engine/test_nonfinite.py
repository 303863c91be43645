"""A step that is not finite ends the training, or is as if it had not been."""

import logging

import pytest
import torch

from srmodels.engine.checkpoint.checkpoint import Checkpoints
from srmodels.engine.nonfinite import NonFiniteHandler
from srmodels.errors import GradientOverflowError, NonFiniteError
from tests.engine.toys import RecordingLogger, ToySource, fabric_on, trainer


def skipping(fabric, path, **options):
    path.mkdir()
    return trainer(fabric, Checkpoints(path), on_nan="skip", **options)


def tensors(state):
    networks = [*state.networks.values(), state.ema.network]
    return [each.clone() for network in networks for each in network.state_dict().values()]


def test_a_skipped_step_moves_nothing_not_even_batch_norm(fabric, tmp_path, caplog) -> None:
    run = skipping(fabric, tmp_path / "run", steps=1)
    before, kept = tensors(run.state), dict(run.state.persistent.tensors)
    with caplog.at_level(logging.WARNING):
        run.run(ToySource(0), title="poisoned")
    pairs = zip(before, tensors(run.state), strict=True)
    assert all(torch.equal(old, new) for old, new in pairs)
    assert (run.state.step, run.state.persistent.tensors) == (1, kept)
    (message,) = caplog.messages
    assert "step 1: the loss generator/pixel is not finite; skipped without" in message
    assert "(1 in a row, at most 10)" in message
    assert "cat.png, dog.png" in message


def test_skipped_steps_enter_no_mean_and_their_number_is_tracked(fabric, tmp_path) -> None:
    logger = RecordingLogger()
    run = skipping(fabric, tmp_path / "run", logger=logger)
    run.run(ToySource(1, 3, 4, 5), title="poisoned")  # the second point has no step left
    points = {step: row for step, row in logger.points if "images_per_second" in row}
    assert [points[step].get("skipped_steps") for step in (3, 6, 9)] == [1, None, 4]
    assert points[3]["learning_rate"] == pytest.approx((0.01 + 0.00904508) / 2, rel=1e-5)
    values = [v for row in points.values() for v in row.values()]
    assert torch.isfinite(torch.tensor(values)).all()


def test_a_killed_training_that_skips_ends_as_one_that_was_not_killed(fabric, tmp_path) -> None:
    source = ToySource(0, 4, 5)
    whole = skipping(fabric, tmp_path / "whole")
    expected = whole.run(source, title="whole").state_dict()
    first = skipping(fabric, tmp_path / "cut")
    with pytest.raises(InterruptedError):
        first.run(_Killed(source, 5), title="first")
    second = trainer(fabric, Checkpoints(tmp_path / "cut"), on_nan="skip")
    found = second.run(source, title="second").state_dict()
    assert second.state.nonfinite.total == whole.state.nonfinite.total == 3
    assert all(torch.equal(expected[key], found[key]) for key in expected)


class _Killed:
    def __init__(self, source, step) -> None:
        self.source, self.step = source, step

    def batch(self, step):
        if step == self.step:
            raise InterruptedError
        return self.source.batch(step)


def test_one_too_many_in_a_row_ends_the_training_and_names_the_checkpoint(fabric, tmp_path) -> None:
    run = skipping(fabric, tmp_path / "run", on_nan_limit=2)
    with pytest.raises(NonFiniteError, match=r"step 8: .*3 steps in a row.*checkpoint\.pt"):
        run.run(ToySource(1, 2, 5, 6, 7), title="poisoned")


def test_overflows_of_float16_halve_the_scale_and_move_nothing(device, tmp_path) -> None:
    fabric = fabric_on(device, "16-mixed", scale=2.0**40)
    run = trainer(fabric, Checkpoints(tmp_path), steps=30)
    before = run.state.networks["generator"].conv.weight.detach().clone()
    moved = []
    take = run.step

    def step(batch):
        skipped = run.state.nonfinite.total
        take(batch)
        moved.append(run.state.nonfinite.total == skipped)
        same = torch.equal(run.state.networks["generator"].conv.weight, before)
        assert same != any(moved)

    run.step = step
    weights = run.run(ToySource(), title="float16").state_dict()
    overflows = moved.count(False)
    assert 0 < overflows < 30
    assert not any(moved[:5])  # scales of 2**36 and more
    assert fabric.strategy.precision.state_dict()["scale"] == 2.0 ** (40 - overflows)
    assert all(weight.isfinite().all() for weight in weights.values())


def test_overflows_of_float16_do_not_count_against_the_limit() -> None:
    skips, error = (
        NonFiniteHandler(0),
        GradientOverflowError("the gradient of generator is not finite"),
    )
    for step in range(30):
        skips.skip(step, error, ["cat.png"], checkpoint=None)
    with pytest.raises(NonFiniteError, match="31 steps in a row"):
        skips.skip(30, error, ["cat.png"], checkpoint=None)
