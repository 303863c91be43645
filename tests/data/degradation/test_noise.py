"""Noise has the strength, the colour and the mean it should have."""

import numpy as np
import pytest
import torch

from srmodels.data.degradation.noise import add_noise, levels_in, shot_noise
from srmodels.data.degradation.settings import DegradationStage


def noisy(images, seed=0, **settings):
    rng, generator = np.random.default_rng(seed), torch.Generator().manual_seed(seed)
    return add_noise(images, DegradationStage(**settings), rng=rng, generator=generator)


def flat(value=0.5, count=4, side=64):
    return torch.full((count, 3, side, side), value)


def test_gaussian_noise_has_the_deviation_asked_for():
    noise = noisy(flat(), gaussian=1.0, sigma_noise=(10.0, 10.0)) - 0.5
    assert noise.std().item() * 255 == pytest.approx(10, rel=0.02)
    assert noise.mean().item() * 255 == pytest.approx(0, abs=0.2)


def test_poisson_noise_grows_with_the_root_of_the_light():
    # 256 levels: white is 256 photons
    ramp = torch.linspace(0, 1, 256).repeat(3, 300, 1)[None]
    noise = shot_noise(ramp, torch.Generator().manual_seed(0))
    deviations = noise.std((0, 1, 2))
    wanted = (torch.linspace(0, 1, 256) / 256).sqrt()
    torch.testing.assert_close(deviations, wanted, rtol=0.15, atol=1e-6)
    assert noise.mean().abs() < 1e-3


def test_levels_are_counted_up_to_the_next_power_of_two():
    images = torch.stack([(torch.arange(300) % count).view(3, 10, 10) for count in (1, 5, 64, 256)])
    assert levels_in(images / 255).flatten().tolist() == [1, 8, 64, 256]


@pytest.mark.parametrize("gaussian", [0.0, 1.0])
def test_grey_noise_is_the_same_in_all_colours_and_other_noise_is_not(gaussian):
    images = torch.rand(4, 3, 16, 16) / 2 + 0.25
    mild = {"gaussian": gaussian, "sigma_noise": (5.0, 5.0), "poisson": (0.5, 0.5)}
    grey = noisy(images, grey=1.0, **mild) - images
    coloured = noisy(images, grey=0.0, **mild) - images
    torch.testing.assert_close(grey[:, 0], grey[:, 2], atol=1e-6, rtol=0)
    assert not torch.allclose(coloured[:, 0], coloured[:, 2], atol=1e-2)


def test_each_image_has_its_own_strength():
    strengths = (noisy(flat(count=8)) - 0.5).std((1, 2, 3))
    assert len(strengths.unique()) == 8


def test_a_result_stays_in_range():
    out = noisy(torch.rand(4, 3, 16, 16), sigma_noise=(80.0, 90.0), poisson=(9.0, 9.0))
    assert out.min() >= 0
    assert out.max() <= 1
