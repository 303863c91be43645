"""Given LR pictures: what fits its HR passes, what does not is refused with its reason."""

import io

import numpy as np
import pytest
from PIL import Image

from srmodels.data.degradation.pictures import degraded_pictures
from srmodels.data.patches.given_lr import check_official, check_own
from srmodels.errors import PhotoError
from srmodels.resize.images import downscale
from tests.data.scenes import scene
from tests.images.pictures import pattern


@pytest.mark.parametrize(
    ("wrong", "sentence"),
    [
        (lambda picture, lr: lr[:, :-1], "wrong size .got 31x24, not 32x24"),
        (lambda picture, lr: lr[::-1], "does not fit"),
        (lambda picture, lr: np.roll(lr, 1, axis=0), r"does not fit .got \d\d\.\d dB"),
        (lambda picture, lr: downscale(np.roll(picture, 1, axis=1), 4), "does not fit"),
        (lambda picture, lr: picture[::4, ::4], "does not fit"),
    ],
)
def test_official_lr_that_is_not_the_reduced_hr_is_refused(wrong, sentence):
    picture = pattern()
    lr = wrong(picture, downscale(picture, 4))
    with pytest.raises(PhotoError, match=sentence):
        check_official(lr, downscale(picture, 4))


PHOTO = np.array(scene(1, 400, 400))
HR = np.ascontiguousarray(PHOTO[20:340, 20:340])


def shifted(down, right):
    """LR of HR moved by so many HR pixels."""
    moved = PHOTO[20 + down : 340 + down, 20 + right : 340 + right]
    return downscale(np.ascontiguousarray(moved), 4)


def jpeg(picture):
    file = io.BytesIO()
    Image.fromarray(picture).save(file, "JPEG", quality=20)
    return np.array(Image.open(file))


def noisy(picture):
    noise = np.random.default_rng(0).normal(0, 25, picture.shape)
    return (picture + noise).clip(0, 255).astype(np.uint8)


@pytest.mark.parametrize(
    "lr",
    [
        downscale(HR, 4),
        jpeg(downscale(HR, 4)),
        noisy(downscale(HR, 4)),
        (255 * (downscale(HR, 4) / 255) ** 0.6).astype(np.uint8),
        degraded_pictures([("a", HR)], 4)["a"],
        shifted(1, 0),
    ],
    ids=["bicubic", "jpeg", "noise", "brightness", "second order", "a quarter of a pixel"],
)
def test_lr_of_ones_own_may_be_worse_than_the_reduced_hr(lr):
    assert check_own(lr, downscale(HR, 4)).startswith("LR of its own, correlation ")


@pytest.mark.parametrize("change", [lambda lr: lr, jpeg, noisy])
@pytest.mark.parametrize(
    ("down", "right", "sentence"),
    [
        (0, 2, r"is shifted .got -0\.[456] to the right, [+-]0\.[01] down, in LR pixels"),
        (3, 0, r"is shifted .got [+-]0\.0 to the right, -(0\.[89]|1\.0) down"),
        (0, -4, r"is shifted .got \+(0\.9|1\.0) to the right"),
        (-8, 8, r"is shifted|of something else"),
    ],
)
def test_lr_of_ones_own_that_is_shifted_is_refused(down, right, sentence, change):
    with pytest.raises(PhotoError, match=sentence):
        check_own(change(shifted(down, right)), downscale(HR, 4))


@pytest.mark.parametrize(
    ("lr", "sentence"),
    [
        (downscale(HR, 4)[:-1], "wrong size .got 80x79, not 80x80"),
        (downscale(HR, 4)[::-1], r"of something else .got a correlation of -?0\.0\d"),
        (downscale(np.array(scene(2, 320, 320)), 4), "of something else"),
        (np.full((80, 80, 3), 7, np.uint8), r"something else .got a correlation of 0\.00"),
    ],
)
def test_lr_of_another_picture_is_refused(lr, sentence):
    with pytest.raises(PhotoError, match=sentence):
        check_own(lr, downscale(HR, 4))
