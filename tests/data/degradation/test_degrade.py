"""The second-order degradation: repeatable, aligned, without a tint, and as the paper has it."""

import dataclasses

import numpy as np
import pytest
import torch
from skimage.registration import phase_cross_correlation

from srmodels.config import check
from srmodels.data.degradation.degrade import degrade
from srmodels.data.degradation.settings import DegradationSettings, DegradationStage, SecondOrder
from srmodels.errors import ConfigError
from srmodels.resize.tensors import reduce
from tests.images.pictures import pattern

MILD = {"sigma_noise": (1.0, 10.0), "poisson": (0.05, 1.0)}


@pytest.fixture
def hr():
    """Four different crops, (4, 3, 96, 96)."""
    whole = torch.from_numpy(pattern(192, 192)).permute(2, 0, 1).float() / 255
    return torch.stack([whole[:, y : y + 96, x : x + 96] for y in (0, 96) for x in (0, 96)])


def degraded(hr, *, scale=4, seed=0, step=0, **settings):
    return degrade(hr, DegradationSettings(**settings), scale, seed=seed, step=step)


def test_one_seed_and_step_give_one_lr_whatever_else_draws_numbers(hr, device):
    hr = hr.to(device)
    first = degraded(hr, step=3)
    torch.rand(7, device=device)
    np.random.default_rng().random(7)
    assert torch.equal(degraded(hr, step=3), first)


@pytest.mark.parametrize("other", [{"step": 4}, {"seed": 1}])
def test_another_step_or_seed_gives_another_lr(other, hr):
    assert not torch.equal(degraded(hr, **({"step": 3} | other)), degraded(hr, step=3))


def test_the_global_generator_is_left_alone(hr):
    before = torch.get_rng_state()
    degraded(hr)
    assert torch.equal(torch.get_rng_state(), before)


def test_hr_is_left_as_it_was(hr):
    before = hr.clone()
    degraded(hr)
    assert torch.equal(hr, before)


def test_hrs_memory_layout_does_not_matter(hr):
    assert torch.equal(degraded(hr.to(memory_format=torch.channels_last)), degraded(hr))


@pytest.mark.parametrize(("scale", "size"), [(2, (5, 7)), (3, (1, 1)), (4, (13, 9)), (8, (3, 5))])
def test_lr_has_hrs_size_over_the_scale(scale, size):
    hr = torch.rand(3, 3, scale * size[0], scale * size[1])
    for step in range(6):
        assert degraded(hr, scale=scale, step=step).shape == (3, 3, *size)


def test_lr_is_8_bits_in_range(hr, device):
    levels = degraded(hr.to(device)) * 255
    assert levels.min() >= 0
    assert levels.max() <= 255
    torch.testing.assert_close(levels, levels.round(), rtol=0, atol=1e-4)


def test_brightness_and_colours_are_kept_on_average(hr, device):
    lrs = torch.cat([degraded(hr.to(device), step=step) for step in range(25)]).cpu()
    wanted = hr.mean((0, 2, 3))
    torch.testing.assert_close(lrs.mean((0, 2, 3)), wanted, rtol=0.02, atol=0)


def test_lr_is_not_shifted_against_the_protocols(hr):
    window = np.outer(np.hanning(24), np.hanning(24))
    orders, shifts = {"first": DegradationStage(**MILD), "second": SecondOrder(**MILD)}, []
    for step in range(10):
        for pair in zip(reduce(hr, 4), degraded(hr, step=step, **orders), strict=True):
            planes = [image.mean(0).numpy() for image in pair]
            planes = [(plane - plane.mean()) * window for plane in planes]
            shift, _, _ = phase_cross_correlation(*planes, upsample_factor=20, normalization=None)
            shifts.append(shift)
    assert np.hypot(*np.transpose(shifts)).mean() < 0.3
    assert np.abs(np.mean(shifts, axis=0)).max() < 0.1


def test_neighbours_that_share_no_resize_differ(hr):
    same = hr[:1].repeat(4, 1, 1, 1)
    lr = degraded(same, images_per_resize=1)
    assert len({image.numpy().tobytes() for image in lr}) == 4


def test_real_esrgans_published_values_are_the_defaults():
    first, second = DegradationSettings().first, DegradationSettings().second
    assert list(first.kernels.values()) == [0.45, 0.25, 0.12, 0.03, 0.12, 0.03]
    assert (first.sigma, second.sigma) == ((0.2, 3), (0.2, 1.5))
    assert (first.blur, second.blur) == (1, 0.8)
    assert (first.resize, second.resize) == ((0.15, 1.5), (0.3, 1.2))
    assert (first.sigma_noise, second.sigma_noise) == ((1, 30), (1, 25))
    assert (first.poisson, second.poisson) == ((0.05, 3), (0.05, 2.5))
    assert first.jpeg == second.jpeg == (30, 95)


def test_settings_pass_the_check_and_come_back_equal():
    settings = DegradationSettings()
    assert check(dataclasses.asdict(settings), DegradationSettings, "second_order") == settings


def test_a_section_that_changes_the_second_order_keeps_the_rest_of_its_own_defaults():
    changed = check({"second": {"jpeg": [50, 90]}}, DegradationSettings, "second_order").second
    assert changed == SecondOrder(jpeg=(50, 90))
    assert changed.sigma == (0.2, 1.5)


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"final_sinc": 1.2}, "final_sinc: must be a share of the images, 0 to 1"),
        ({"images_per_resize": 0}, "images_per_resize: must be 1 or more"),
        ({"first": {"enlarged": 0.5, "shrunk": 0.6}}, "1 or less together"),
        ({"first": {"kernels": {"isotropic": 0.0}}}, "one of them above 0"),
        ({"first": {"kernels": {"round": 1.0}}}, r"first\.kernels\.round"),
        ({"first": {"sigma": [3.0, 0.2]}}, "sigma: must be two numbers .* the lower first"),
        ({"first": {"resize": [1.2, 1.5]}}, "resize: must be a range above 0 that holds 1"),
        ({"second": {"jpeg": [0, 95]}}, "jpeg: must be two numbers from 1 to 100"),
    ],
)
def test_impossible_settings_are_refused(changes, message):
    with pytest.raises(ConfigError, match=message):
        check(changes, DegradationSettings, "second_order")
