"""The checkerboard score: patterns of the grid raise it, sharpness and noise do not."""

import numpy as np
import pytest

from srmodels.evaluation.metrics.checkerboard import checkerboard
from srmodels.evaluation.metrics.luma import luma_pair
from srmodels.resize.images import crop_to_multiple, downscale
from srmodels.resize.tensors import enlarge_image


def checkerboard_y(sr, hr, *, scale):
    return checkerboard(*luma_pair(sr, hr, border=scale), scale=scale)


@pytest.fixture
def hr():
    """A picture like a photograph: energy falls with frequency. uint8 (192, 256, 3)."""
    rng = np.random.default_rng(0)
    rows, columns = np.fft.fftfreq(192)[:, None], np.fft.fftfreq(256)
    falling = 1 / np.maximum(np.hypot(rows, columns), 1 / 256) ** 1.2
    waves = np.fft.ifft2(np.fft.fft2(rng.standard_normal((192, 256))) * falling).real
    grey = 128 + 40 * waves / waves.std()
    return np.repeat(grey[..., None].clip(0, 255).astype(np.uint8), 3, axis=2)


def patterned(picture, scale, amplitude, seed=3):
    """Adds a pattern that repeats every `scale` pixels, with a mean of 0."""
    cell = np.random.default_rng(seed).standard_normal((scale, scale))
    cell = (cell - cell.mean()) / cell.std()
    rows, columns = (-(-length // scale) for length in picture.shape[:2])
    pattern = np.tile(cell, (rows, columns))[: picture.shape[0], : picture.shape[1], None]
    return (picture + amplitude * pattern).round().clip(0, 255).astype(np.uint8)


@pytest.mark.parametrize("scale", [2, 3, 4, 8])
def test_hr_itself_has_1(hr, scale):
    assert checkerboard_y(hr, hr, scale=scale) == 1


@pytest.mark.parametrize("scale", [2, 3, 4, 8])
def test_a_pattern_of_the_grid_raises_it_clearly(hr, scale):
    assert checkerboard_y(patterned(hr, scale, 4), hr, scale=scale) > 3


def test_a_stronger_pattern_raises_it_more(hr):
    weak, strong = (checkerboard_y(patterned(hr, 4, each), hr, scale=4) for each in (3, 6))
    assert strong > 2 * weak


def test_a_pattern_whose_sign_changes_does_not_cancel(hr):
    sign = np.where((np.arange(256) // 64) % 2, 1, -1)[None, :, None]
    change = patterned(hr, 4, 4).astype(int) - hr
    flipped = (hr + sign * change).clip(0, 255).astype(np.uint8)
    assert checkerboard_y(flipped, hr, scale=4) > 3


def test_a_smooth_enlargement_has_next_to_none(hr):
    assert checkerboard_y(enlarge_image(downscale(hr, 4), 4), hr, scale=4) < 0.2


def test_a_pattern_on_a_smooth_enlargement_is_found(hr):
    smooth = enlarge_image(downscale(hr, 4), 4)
    assert checkerboard_y(patterned(smooth, 4, 3), hr, scale=4) > 2


def test_noise_is_no_pattern(hr):
    noise = np.random.default_rng(5).normal(0, 4, hr.shape)
    noisy = (hr + noise).clip(0, 255).astype(np.uint8)
    assert checkerboard_y(noisy, hr, scale=4) < checkerboard_y(patterned(hr, 4, 4), hr, scale=4) / 3


def test_a_pattern_of_another_period_is_none_of_this_grid(hr):
    stripes = (hr + 8 * np.sin(2 * np.pi * np.arange(256) / 5.3)[None, :, None]).clip(0, 255)
    assert checkerboard_y(stripes.astype(np.uint8), hr, scale=4) < 1.5


def test_nearest_neighbour_blocks_are_a_pattern(hr):
    lr = downscale(crop_to_multiple(hr, 4), 4)
    assert checkerboard_y(lr.repeat(4, axis=0).repeat(4, axis=1), hr, scale=4) > 2


def test_flat_pictures_have_1():
    flat = np.full((64, 64, 3), 90, np.uint8)
    assert checkerboard_y(flat, flat + 20, scale=4) == pytest.approx(1)


def test_a_picture_smaller_than_a_window_has_a_score(photo):
    small = photo[:28, :40]
    assert checkerboard_y(small, small, scale=4) == 1
