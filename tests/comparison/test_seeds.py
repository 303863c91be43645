"""Intervals over images and seeds."""

import numpy as np
import pandas as pd
import pytest

from srmodels.comparison.experiment import Experiment
from srmodels.comparison.seeds import seed_differences, seed_interval
from srmodels.comparison.sources import ExperimentFiles
from srmodels.evaluation.means import interval

RNG = np.random.default_rng(1)
IMAGES = RNG.normal(30, 3, 40)  # dB: images differ much, and alike for all trainings


def trained(mean, seeds, noise=0.0):
    return IMAGES + mean + noise * RNG.normal(size=(seeds, 1)) + 0.1 * RNG.normal(size=(seeds, 40))


def test_with_one_seed_the_interval_is_that_of_the_paired_images():
    first, other = trained(0.0, 1), trained(0.3, 1)
    expected = interval((other - first)[0])
    assert seed_interval(first, other) == pytest.approx(expected, abs=0.005)


def test_seeds_that_vary_widen_the_interval():
    still = seed_interval(trained(0.0, 3), trained(0.3, 3))
    vary = seed_interval(trained(0.0, 3, noise=0.3), trained(0.3, 3, noise=0.3))
    assert vary[1] - vary[0] > 3 * (still[1] - still[0])


def test_between_equal_recipes_about_one_interval_in_twenty_excludes_zero():
    excluded = 0
    for seed in range(100):
        low, high = seed_interval(trained(0, 4, 0.2), trained(0, 4, 0.2), seed=seed)
        excluded += not low <= 0 <= high
    assert 1 <= excluded <= 16


def experiment(psnr, lpips, names):
    rows = {"image": list(names), "psnr_y": psnr, "lpips": lpips}
    images = pd.DataFrame(rows).assign(set="test", model="generator")
    files = ExperimentFiles(name="x", commit="", read=lambda path: None)
    return Experiment(files=files, recipe="", preset="", row="generator", metrics={}, images=images)


def test_images_are_paired_by_name_and_verdicts_follow_the_direction():
    names = [f"{k:02d}" for k in range(40)]
    first = [experiment(row, row / 100, names) for row in trained(0.0, 2)]
    other = [experiment(row[::-1], row[::-1] / 100, names[::-1]) for row in trained(0.5, 2)]
    psnr, lpips = seed_differences(first, other, "test")
    assert psnr.difference == pytest.approx(0.5, abs=0.1)
    assert (psnr.images, psnr.verdict, lpips.verdict) == (40, "better", "worse")
    assert psnr.spread < 0.3 < IMAGES.std()


def test_two_images_have_no_interval():
    pair = [[experiment(np.array([30.0, 31.0 + k]), np.zeros(2), "ab")] for k in range(2)]
    psnr, _ = seed_differences(*pair, "test")
    assert (psnr.bounds, psnr.verdict) == (None, "")
