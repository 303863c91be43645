"""Sharpness: gradient energy of SR over HR."""

import numpy as np
import pytest

from srmodels.evaluation.metrics.luma import luma_pair
from srmodels.evaluation.metrics.sharpness import sharpness
from srmodels.resize.images import downscale
from srmodels.resize.tensors import enlarge_image


def sharpness_y(sr, hr, *, border):
    return sharpness(*luma_pair(sr, hr, border=border))


def test_equal_pictures_have_1(photo):
    assert sharpness_y(photo, photo, border=4) == 1


def test_flat_pictures_are_equally_sharp():
    flat = np.full((40, 40, 3), 90, np.uint8)
    assert sharpness_y(flat, flat + 20, border=4) == 1


def test_a_bicubic_enlargement_is_blurred(photo):
    assert sharpness_y(enlarge_image(downscale(photo, 4), 4), photo, border=4) < 0.5


def test_twice_the_contrast_is_four_times_the_energy(photo):
    soft = photo // 4 + 90
    hard = (2 * (soft.astype(int) - 90) + 60).astype(np.uint8)
    assert sharpness_y(hard, soft, border=4) == pytest.approx(4, rel=1e-4)
