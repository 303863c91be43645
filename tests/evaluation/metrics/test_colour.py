"""Colour shift: tints show, detail does not."""

import numpy as np
import pytest

from srmodels.evaluation.metrics.colour import colour_scores


def colour_shift(sr, hr):
    return colour_scores(sr, hr)[0]


def lab_shift(sr, hr):
    return colour_scores(sr, hr)[1]


def tinted(photo, red, green, blue):
    return (photo + np.array([red, green, blue])).clip(0, 255).astype(np.uint8)


def test_equal_pictures_have_no_shift(photo):
    assert colour_shift(photo, photo) == 0
    assert lab_shift(photo, photo) == (0, 0, 0)


def test_a_purple_tint_is_redder_and_bluer(photo):
    purple = tinted(photo, 12, -6, 12)
    _, red, yellow = lab_shift(purple, photo)
    assert red > 2
    assert yellow < -2
    assert colour_shift(purple, photo) > 2


def test_a_lighter_picture_has_a_positive_lightness_shift(photo):
    lightness, _, _ = lab_shift(tinted(photo, 10, 10, 10), photo)
    assert lightness > 2


def test_opposite_tints_are_opposite_shifts(photo):
    middle = photo // 2 + 64  # nothing is clipped
    more, less = (lab_shift(tinted(middle, 0, sign * 4, 0), middle)[1] for sign in (1, -1))
    assert more == pytest.approx(-less, rel=0.15)


def test_the_reduction_hides_fine_noise(photo):
    noise = np.random.default_rng(0).normal(0, 10, photo.shape)
    middle = photo // 2 + 64
    noisy = (middle + noise).clip(0, 255).astype(np.uint8)
    assert colour_shift(noisy, middle) < colour_shift(tinted(middle, 10, -10, 10), middle) / 3


def test_sizes_that_no_4_divides_are_cut(photo):
    assert colour_shift(photo[:-3, :-1], photo[:-3, :-1]) == 0
