"""The interval around a mean, against scipy's bootstrap and the normal one."""

import numpy as np
import pytest
from scipy.stats import bootstrap

from srmodels.evaluation.means import interval


@pytest.fixture
def values():
    return np.random.default_rng(3).normal(28, 3, 100)


def test_it_is_scipys_percentile_bootstrap(values):
    found = bootstrap(
        (values,), np.mean, method="percentile", n_resamples=10_000, rng=np.random.default_rng(1)
    )
    assert interval(values, seed=1) == pytest.approx(tuple(found.confidence_interval), abs=1e-9)


def test_of_many_values_it_is_the_normal_interval(values):
    reach = 1.96 * values.std() / len(values) ** 0.5
    expected = (values.mean() - reach, values.mean() + reach)
    assert interval(values) == pytest.approx(expected, abs=0.03)


def test_of_equal_values_it_is_that_value():
    assert interval(np.full(7, 31.25)) == (31.25, 31.25)


def test_the_same_values_have_the_same_interval_every_time(values):
    assert interval(values) == interval(values)
    assert interval(values) != interval(values, seed=1)


def test_drawing_in_blocks_changes_nothing(values, monkeypatch):
    whole = interval(values)
    monkeypatch.setattr("srmodels.evaluation.means._BLOCK", 12_345)
    assert interval(values) == pytest.approx(whole, abs=1e-9)
