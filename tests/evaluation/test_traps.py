"""What each usual slip in the protocol costs; so nobody slips into one unnoticed.

The numbers are REFERENCE.md's trap table, measured on Set5's bicubic enlargement.
"""

import math

import numpy as np
import pytest
import torch.nn.functional as F
from PIL import Image
from skimage.metrics import peak_signal_noise_ratio, structural_similarity

from srmodels.evaluation.metrics.luma import luma
from srmodels.evaluation.metrics.psnr import psnr_rgb, psnr_y
from srmodels.evaluation.metrics.ssim import ssim_y
from srmodels.images.readers.folder import whole_images
from srmodels.resize.images import crop_to_multiple, downscale
from srmodels.resize.tensors import enlarge_image, to_image, to_tensor

FULL_RANGE = 20 * math.log10(219 / 255)  # -1.32 dB


@pytest.fixture(scope="module")
def set5(shared):
    images = whole_images(shared / "data" / "benchmarks" / "Set5")
    return [crop_to_multiple(hr, 4) for _, hr in images]


def bicubic(hr):
    return enlarge_image(downscale(hr, 4), 4)


def mean(score, pictures):
    return float(np.mean([score(hr) for hr in pictures]))


def right(hr):
    return psnr_y(bicubic(hr), hr, border=4)


def full_range(hr):
    inside = slice(4, -4), slice(4, -4)
    planes = [each[inside] @ [0.299, 0.587, 0.114] for each in (hr, bicubic(hr))]
    return peak_signal_noise_ratio(*planes, data_range=255)


def test_full_range_y_would_cost_1_32_db_on_any_picture(photo):
    assert full_range(photo) - right(photo) == pytest.approx(FULL_RANGE, abs=1e-6)
    assert pytest.approx(-1.32, abs=0.005) == FULL_RANGE


def test_our_y_is_the_limited_range(photo):
    full = photo @ [0.299, 0.587, 0.114]
    np.testing.assert_allclose(luma(photo), 16 + full * 219 / 255, atol=1e-9)


def test_set5s_bicubic_is_28_43_db_and_0_811(set5):
    assert mean(right, set5) == pytest.approx(28.43, abs=0.01)
    ssim = mean(lambda hr: ssim_y(bicubic(hr), hr, border=4), set5)
    assert ssim == pytest.approx(0.8113, abs=0.0001)


def test_full_range_y_would_cost_1_32_db(set5):
    assert mean(full_range, set5) - mean(right, set5) == pytest.approx(-1.32, abs=0.005)


def test_rgb_would_cost_1_73_db(set5):
    inside = slice(4, -4), slice(4, -4)

    def rgb(hr):
        return peak_signal_noise_ratio(hr[inside], bicubic(hr)[inside], data_range=255)

    assert mean(rgb, set5) - mean(right, set5) == pytest.approx(-1.73, abs=0.01)


def test_our_psnr_on_rgb_is_that_one(set5):
    rgb = mean(lambda hr: psnr_rgb(bicubic(hr), hr, border=4), set5)
    assert rgb - mean(right, set5) == pytest.approx(-1.73, abs=0.01)


def test_scikit_images_own_window_would_give_an_ssim_of_0_8232(set5):
    def own_window(hr):
        planes = [luma(each)[4:-4, 4:-4] for each in (hr, bicubic(hr))]
        return structural_similarity(*planes, data_range=255)

    assert mean(own_window, set5) == pytest.approx(0.8232, abs=0.0005)


def test_no_border_would_give_0_01_db(set5):
    uncut = mean(lambda hr: psnr_y(bicubic(hr), hr, border=0), set5)
    assert uncut - mean(right, set5) == pytest.approx(0.01, abs=0.005)


def test_the_kernel_without_antialias_would_give_0_20_db(set5):
    def wrong(hr):
        lr = to_tensor(downscale(hr, 4))
        sr = F.interpolate(lr, scale_factor=4, mode="bicubic", align_corners=False)
        return psnr_y(to_image(sr), hr, border=4)

    assert mean(wrong, set5) - mean(right, set5) == pytest.approx(0.20, abs=0.005)


def test_pillows_reduction_would_hardly_show(set5):
    def pillow(hr):
        size = hr.shape[1] // 4, hr.shape[0] // 4
        lr = np.array(Image.fromarray(hr).resize(size, Image.Resampling.BICUBIC))
        return psnr_y(enlarge_image(lr, 4), hr, border=4)

    assert mean(pillow, set5) - mean(right, set5) == pytest.approx(-0.002, abs=0.002)
