"""Verdicts: which way is better, and when a difference is shown."""

import numpy as np
import pandas as pd
import pytest
from scipy.stats import bootstrap

from srmodels.comparison.difference import better_direction, differences
from srmodels.comparison.experiment import Experiment
from srmodels.comparison.sources import ExperimentFiles


def experiment(scores, names="abcdefghijklmnopqrst"):
    values = {"image": list(names[: len(next(iter(scores.values())))]), **scores}
    images = pd.DataFrame(values).assign(set="test", model="generator")
    files = ExperimentFiles(name="x", commit="", read=lambda path: None)
    return Experiment(files=files, recipe="", preset="", row="generator", metrics={}, images=images)


def compare(first, other, score="psnr_y"):
    (difference,) = differences(experiment({score: first}), experiment({score: other}), "test")
    return difference


NOISE = np.random.default_rng(0).standard_normal(20)


def test_the_interval_is_that_of_the_differences_not_of_the_models():
    first = 30 + 5 * NOISE
    difference = compare(first, first + 0.1 + 0.05 * NOISE[::-1])
    wanted = bootstrap(
        (0.1 + 0.05 * NOISE[::-1],), np.mean, method="percentile", random_state=1
    ).confidence_interval
    assert difference.bounds == pytest.approx(wanted, abs=2e-3)
    assert difference.verdict == "better"


def test_what_may_be_chance_is_not_shown():
    assert compare(30 + NOISE, 30 + NOISE[::-1]).verdict == "no difference shown"


@pytest.mark.parametrize(
    ("score", "first", "other"),
    [
        ("psnr_y", 30.0, 31.0),
        ("ssim_y", 0.8, 0.9),
        ("lr_consistency", 40.0, 45.0),
        ("lpips", 0.3, 0.2),
        ("colour_shift", 1.0, 0.5),
        ("checkerboard", 0.2, 0.1),
        ("sharpness", 0.5, 1.2),
        ("sharpness", 1.6, 0.7),
        ("shift_a", -0.4, 0.2),
    ],
)
def test_better_is_what_the_score_means(score, first, other):
    small = 0.001 * NOISE[:6]
    assert compare(first + small, other - small, score).verdict == "better"
    assert compare(other + small, first - small, score).verdict == "worse"


def test_a_score_without_a_best_value_gets_no_verdict():
    difference = compare(NOISE, NOISE + 1, "diversity")
    assert (better_direction("diversity"), difference.verdict) == ("", "")
    assert difference.bounds == pytest.approx((1, 1))


def test_fewer_than_five_images_show_a_difference_only_perhaps():
    assert compare([30.0, 31.0, 30.0], [31.0, 32.5, 31.0]).verdict == "perhaps better"


def test_two_images_have_neither_interval_nor_verdict():
    difference = compare([30.0, 30.5], [31.0, 32.0])
    assert (difference.bounds, difference.verdict) == (None, "")


def test_images_are_paired_by_name_and_means_are_of_pairs():
    one, other = (
        experiment({"psnr_y": [1.0, 2.0, 3.0]}),
        experiment({"psnr_y": [30.0, 20.0]}, names="cb"),
    )
    (difference,) = differences(one, other, "test")
    assert (difference.images, difference.first, difference.other) == (2, 2.5, 25.0)
