"""Blur kernels against SciPy's densities and Fourier's transform."""

import math

import numpy as np
import pytest
import torch
from scipy.ndimage import convolve
from scipy.stats import multivariate_normal

from srmodels.data.degradation.blur import SIDE, blur, draw_kernels, draw_sincs, gaussian, sinc
from srmodels.data.degradation.settings import DegradationStage
from srmodels.resize.tensors import to_image, to_tensor

ROUND = {"sigmas": (2.0, 2.0), "angle": 0.0, "shape": 1.0}


def drawn(count=300, **settings):
    return draw_kernels(np.random.default_rng(0), count, DegradationStage(**settings)).numpy()


@pytest.mark.parametrize("sigmas", [(1.5, 1.5), (3.0, 0.8)])
def test_a_gaussian_kernel_is_scipys_density(sigmas):
    angle = 0.7
    turn = np.array([[math.cos(angle), -math.sin(angle)], [math.sin(angle), math.cos(angle)]])
    places = np.moveaxis(np.mgrid[:SIDE, :SIDE][::-1] - SIDE // 2, 0, -1)  # (x, y)
    covariance = turn @ np.diag(np.square(sigmas)) @ turn.T
    density = multivariate_normal(cov=covariance).pdf(places)
    ours = gaussian("anisotropic", SIDE, sigmas=sigmas, angle=angle, shape=1.0)
    np.testing.assert_allclose(ours, density / density.sum(), atol=1e-12)


def test_a_generalised_kernel_of_exponent_1_is_a_gaussian_and_a_higher_one_is_flatter():
    normal = gaussian("isotropic", SIDE, **ROUND)
    same = gaussian("generalised_isotropic", SIDE, **ROUND)
    flat = gaussian("generalised_isotropic", SIDE, **(ROUND | {"shape": 4.0}))
    np.testing.assert_allclose(same, normal)
    centre = SIDE // 2
    assert flat[centre, centre + 1] / flat[centre, centre] > 0.99
    assert normal[centre, centre + 1] / normal[centre, centre] < 0.9


def test_a_plateau_kernel_is_half_as_high_one_deviation_away():
    kernel = gaussian("plateau_isotropic", SIDE, **ROUND)
    centre = SIDE // 2
    assert kernel[centre, centre + 2] == pytest.approx(kernel[centre, centre] / 2)


def test_a_sinc_filter_passes_what_is_below_its_cutoff_and_stops_what_is_above():
    response = np.abs(np.fft.fft2(sinc(SIDE, math.pi / 2), (256, 256)))[0, :129]
    frequencies = np.linspace(0, math.pi, 129)
    assert response[frequencies < 0.35 * math.pi] == pytest.approx(1, abs=0.15)
    assert (response[frequencies > 0.65 * math.pi] < 0.15).all()


def test_all_kernels_sum_to_1_and_are_symmetric_about_their_centre():
    sincs = draw_sincs(np.random.default_rng(0), 50, 0.8).numpy()
    for kernels in (drawn(), sincs):
        np.testing.assert_allclose(kernels.sum((1, 2)), 1, atol=1e-5)
        np.testing.assert_allclose(kernels, kernels[:, ::-1, ::-1], atol=1e-7)


def test_kernels_hold_no_denormal_numbers():
    kernels = np.abs(drawn())
    assert kernels[kernels > 0].min() > np.finfo(np.float32).tiny


def test_the_shares_of_kernels_are_those_of_the_settings():
    identities = (drawn(1000, blur=0.8).max((1, 2)) == 1).mean()
    sincs = (drawn(1000, sinc=0.1).min((1, 2)) < 0).mean()
    assert identities == pytest.approx(0.2, abs=0.05)
    assert sincs == pytest.approx(0.1, abs=0.03)
    assert (drawn(blur=0.0).max((1, 2)) == 1).all()
    assert (drawn(sinc=1.0).min((1, 2)) < 0).all()


@pytest.mark.parametrize("size", [(30, 41), (3, 2)])
def test_blurring_is_scipys_convolution_with_each_images_own_kernel(size):
    images = torch.rand(2, 3, *size)
    kernels = draw_kernels(np.random.default_rng(1), 2, DegradationStage())
    ours = blur(images, kernels).numpy()
    for image, kernel, blurred in zip(images.numpy(), kernels.numpy(), ours, strict=True):
        for plane, out in zip(image, blurred, strict=True):
            np.testing.assert_allclose(out, convolve(plane, kernel, mode="reflect"), atol=1e-5)


def test_the_identity_changes_nothing(photo):
    nothing = draw_kernels(np.random.default_rng(0), 1, DegradationStage(blur=0.0))
    np.testing.assert_array_equal(to_image(blur(to_tensor(photo), nothing)), photo)
