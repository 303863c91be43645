"""SSIM against scikit-image, which is the oracle."""

import numpy as np
import pytest
import torch
from skimage.color import rgb2ycbcr
from skimage.metrics import structural_similarity

from srmodels.errors import ProtocolError
from srmodels.evaluation.metrics.ssim import ssim_y


def reference(sr, hr, border):
    y_sr, y_hr = (rgb2ycbcr(each)[..., 0] for each in (sr, hr))
    inside = (slice(border, y_hr.shape[0] - border), slice(border, y_hr.shape[1] - border))
    return structural_similarity(
        y_sr[inside],
        y_hr[inside],
        gaussian_weights=True,
        sigma=1.5,
        use_sample_covariance=False,
        data_range=255,
    )


@pytest.mark.parametrize("sigma", [0.5, 3, 20, 90])
@pytest.mark.parametrize("border", [0, 4])
def test_ssim_is_scikit_images(photo, sigma, border):
    noise = np.random.default_rng(1).normal(0, sigma, photo.shape)
    noisy = (photo + noise).clip(0, 255).astype(np.uint8)
    expected = reference(noisy, photo, border)
    assert ssim_y(noisy, photo, border=border) == pytest.approx(expected, abs=1e-6)


@pytest.mark.parametrize("level", [0, 3, 252, 255])
def test_ssim_is_scikit_images_in_flat_black_and_white(level):
    flat = np.full((40, 50, 3), level, np.uint8)
    speckled = flat.copy()
    speckled[::7, ::5] ^= 3
    assert ssim_y(speckled, flat, border=4) == pytest.approx(reference(speckled, flat, 4), abs=1e-6)


@pytest.mark.parametrize("size", [(11, 11), (11, 90), (53, 12), (42, 43), (75, 140)])
def test_ssim_is_scikit_images_in_any_shape(size):
    rng = np.random.default_rng(2)
    sr, hr = rng.integers(0, 256, (2, *size, 3), dtype=np.uint8)
    assert ssim_y(sr, hr, border=0) == pytest.approx(reference(sr, hr, 0), abs=1e-6)


def test_ssim_is_the_same_while_a_training_computes_in_bfloat16(photo):
    with torch.autocast("cpu", dtype=torch.bfloat16):
        inside = ssim_y(photo, photo // 2, border=4)
    assert inside == ssim_y(photo, photo // 2, border=4)


def test_ssim_of_equal_pictures_is_1(photo):
    assert ssim_y(photo, photo, border=4) == 1


def test_ssim_leaves_its_inputs_alone(photo):
    before = photo.copy()
    ssim_y(photo, photo[::-1], border=4)
    np.testing.assert_array_equal(photo, before)


def test_less_than_a_window_is_refused(photo):
    small = photo[:18, :40]
    with pytest.raises(ProtocolError, match="32 x 10"):
        ssim_y(small, small, border=4)
