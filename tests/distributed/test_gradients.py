"""Gradients travel while backward computes others, and what arrives is their mean."""

import json

import pytest

from tests.distributed.exchanges import accumulate, order, overlap, unused
from tests.engine.processes import run

pytestmark = pytest.mark.slow


def found(work, folder, count=2):
    assert run(count, work, folder, logs=folder / "logs") == [0] * count
    return json.loads((folder / "found.json").read_text())


def test_gradients_ready_in_another_order_in_each_process_are_not_mixed_up(tmp_path) -> None:
    # the parameter that is added n-th of four has the gradient n * 2^(5 - n)
    each = [number * 2 ** (5 - number) for number in range(1, 5)]
    means = [[(a + b) / 2] * 3 for a, b in zip(each, each[::-1], strict=True)]
    assert found(order, tmp_path) == means


def test_a_parameter_without_a_gradient_holds_up_no_bucket_and_gets_none(tmp_path) -> None:
    assert found(unused, tmp_path) == [None, [1.5] * 3, None, [1.5] * 3]


def test_the_last_layers_gradients_travel_before_the_first_layers_are_computed(tmp_path) -> None:
    assert found(overlap, tmp_path) == [5]


def test_parts_of_halves_of_a_batch_move_the_players_as_the_whole_by_one_process(tmp_path) -> None:
    (two, scalars), (one, same) = (
        found(accumulate, tmp_path / str(count), count) for count in (2, 1)
    )
    for mine, theirs in zip(two, one, strict=True):
        assert mine == pytest.approx(theirs, rel=1e-9)
    assert scalars == pytest.approx(same, rel=1e-9)
