"""LR consistency: HR is consistent with the LR made of it, invented pixels are not."""

import numpy as np
import pytest
from skimage.metrics import peak_signal_noise_ratio

from srmodels.errors import ProtocolError
from srmodels.evaluation.metrics.psnr import CEILING, lr_consistency
from srmodels.resize.images import downscale
from srmodels.resize.tensors import enlarge_image


def test_hr_itself_has_the_ceiling(photo):
    assert lr_consistency(photo, downscale(photo, 4), scale=4) == CEILING


def test_it_is_scikit_images_psnr_of_the_two_lr(photo):
    lr = downscale(photo, 4)
    sr = enlarge_image(lr, 4)
    expected = peak_signal_noise_ratio(lr, downscale(sr, 4), data_range=255)
    assert lr_consistency(sr, lr, scale=4) == pytest.approx(expected, abs=1e-9)


def test_a_tint_costs_it_and_detail_does_not(photo):
    middle = photo // 2 + 64
    lr = downscale(middle, 4)
    detail = np.tile(np.array([[6, -6], [-6, 6]]), (48, 64))[..., None]
    detailed, tinted = ((middle + each).astype(np.uint8) for each in (detail, [6, 0, 6]))
    assert lr_consistency(detailed, lr, scale=4) > 45 > lr_consistency(tinted, lr, scale=4)


def test_sr_of_another_scale_is_refused(photo):
    with pytest.raises(ProtocolError, match=r"not 4 times LR .got 128 x 96 and 64 x 48"):
        lr_consistency(photo, downscale(photo, 2), scale=4)
