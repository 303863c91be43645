"""Where samples come from, how much they differ, and the strip that shows it."""

import numpy as np
import pytest
import torch

from srmodels.evaluation.samples import Sampling, deviation, diversity, drawing, strip
from srmodels.resize.images import downscale
from srmodels.resize.tensors import enlarge_image


@pytest.fixture
def drawn():
    return list(np.random.default_rng(0).integers(0, 256, (5, 40, 60, 3), np.uint8))


class Noisy:
    """A generator whose samples are grey with noise."""

    def __init__(self, has_samples=True):
        self.has_samples = has_samples

    def sample(self, lr, *, generator, temperature):
        noise = torch.randn(lr.shape, generator=generator).numpy()
        return (128 + 20 * temperature * noise).clip(0, 255).astype(np.uint8)


LR = np.zeros((6, 7, 3), np.uint8)


def test_equal_samples_have_a_diversity_of_exactly_0(drawn):
    assert diversity([drawn[0]] * 3) == 0


def test_the_deviation_is_numpys(drawn):
    expected = np.stack(drawn).astype(np.float64).std(axis=0)
    np.testing.assert_allclose(deviation(drawn), expected, atol=1e-9)
    assert diversity(drawn) == pytest.approx(expected.mean(), abs=1e-9)


def test_a_thousand_extreme_samples_do_not_overflow():
    white, black = np.full((2, 2, 3), 255, np.uint8), np.zeros((2, 2, 3), np.uint8)
    assert diversity([white, black] * 500) == 127.5


def test_as_many_samples_as_asked_for_are_drawn_and_they_differ():
    samples = drawing(Noisy(), Sampling(number=3))(LR, 0)
    assert len(samples) == 3
    assert diversity(samples) > 5


def test_seed_and_place_decide_the_samples():
    draw = drawing(Noisy(), Sampling(number=2, seed=7))
    first, again = draw(LR, 1), draw(LR, 1)
    np.testing.assert_array_equal(first, again)
    for others in (draw(LR, 2), drawing(Noisy(), Sampling(number=2, seed=8))(LR, 1)):
        assert not np.array_equal(first, others)


def test_the_temperature_reaches_the_generator():
    assert diversity(drawing(Noisy(), Sampling(temperature=0.0))(LR, 0)) == 0


@pytest.mark.parametrize(
    ("generator", "number"), [(Noisy(has_samples=False), 5), (Noisy(has_samples=True), 0)]
)
def test_nothing_is_drawn_where_there_are_no_samples_or_none_are_wanted(generator, number):
    assert drawing(generator, Sampling(number=number)) is None


def strip_of(samples, hr):
    sr = enlarge_image(downscale(hr, 4), 4)
    return strip({"bicubic": sr, "pretrained": sr, "generator": sr}, samples, hr, scale=4)


def test_the_strip_has_bicubic_mean_four_samples_and_the_deviation(photo):
    drawn = strip_of([photo] * 6, photo)
    column = 384 + 12
    assert drawn.shape[1] == 12 + 7 * column


def test_the_strips_last_panel_is_the_deviation_enlarged_by_a_power_of_2(photo):
    low, high = np.full_like(photo, 100), np.full_like(photo, 106)  # deviation 3, 64 times: 192
    drawn = strip_of([low, high], photo)
    assert (drawn[-390:-14, -390:-14] == 192).all()


def test_equal_samples_have_a_black_map(photo):
    assert (strip_of([photo] * 2, photo)[-390:-14, -390:-14] == 0).all()
