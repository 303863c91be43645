"""Y and PSNR against scikit-image, and the traps around them."""

import numpy as np
import pytest
from skimage.color import rgb2ycbcr
from skimage.metrics import peak_signal_noise_ratio

from srmodels.errors import ProtocolError
from srmodels.evaluation.metrics.luma import luma
from srmodels.evaluation.metrics.psnr import CEILING, psnr_rgb, psnr_y


@pytest.fixture
def noisy(photo):
    noise = np.random.default_rng(1).normal(0, 9, photo.shape)
    return (photo + noise).clip(0, 255).astype(np.uint8)


def test_luma_is_scikit_images(photo):
    np.testing.assert_allclose(luma(photo), rgb2ycbcr(photo)[..., 0], atol=1e-10)


def test_luma_goes_from_16_to_235():
    black, white = np.zeros((2, 3, 3), np.uint8), np.full((2, 3, 3), 255, np.uint8)
    np.testing.assert_array_equal(luma(black), 16)
    np.testing.assert_array_equal(luma(white), 235)


def test_luma_of_a_tall_picture_is_that_of_its_parts(photo):
    tall = np.concatenate([photo, photo[::-1], photo])
    np.testing.assert_array_equal(luma(tall)[96:192], luma(photo[::-1]))


def test_psnr_is_scikit_images_inside_the_border(photo, noisy):
    inside = (slice(4, -4), slice(4, -4), 0)
    planes = rgb2ycbcr(photo)[inside], rgb2ycbcr(noisy)[inside]
    expected = peak_signal_noise_ratio(*planes, data_range=255)
    assert psnr_y(noisy, photo, border=4) == pytest.approx(expected, abs=1e-6)


def test_psnr_of_rgb_is_scikit_images_inside_the_border(photo, noisy):
    inner = (slice(4, -4), slice(4, -4))
    expected = peak_signal_noise_ratio(photo[inner], noisy[inner], data_range=255)
    assert psnr_rgb(noisy, photo, border=4) == pytest.approx(expected, abs=1e-9)
    assert psnr_rgb(photo, photo, border=4) == CEILING


def test_psnr_does_not_see_the_border(photo):
    framed = photo.copy()
    framed[:4], framed[-4:], framed[:, :4], framed[:, -4:] = 0, 0, 0, 0
    assert psnr_y(framed, photo, border=4) == CEILING
    assert psnr_y(framed, photo, border=3) < CEILING


def test_psnr_of_a_border_of_zero_uses_every_pixel(photo):
    changed = photo.copy()
    changed[0, 0] = 255 - changed[0, 0]
    assert psnr_y(changed, photo, border=0) < CEILING


def test_psnr_of_equal_pictures_is_a_number_that_json_can_hold(photo):
    assert psnr_y(photo, photo, border=4) == 100.0


def test_different_sizes_are_refused_with_both_of_them(photo):
    with pytest.raises(ProtocolError, match="124 x 96 and 128 x 96"):
        psnr_y(photo[:, :-4], photo, border=4)


def test_a_picture_within_its_border_is_refused(photo):
    with pytest.raises(ProtocolError, match="8 x 96"):
        psnr_y(photo[:, :8], photo[:, :8], border=4)
