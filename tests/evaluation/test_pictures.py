"""The comparison picture and where its crop lies."""

import numpy as np
import pytest

from srmodels.evaluation.pictures import comparison, most_detailed_crop
from srmodels.resize.images import downscale
from srmodels.resize.tensors import enlarge_image


@pytest.fixture
def lively():
    """Grey, with noise only in rows 80 to 120 and columns 140 to 180."""
    picture = np.full((200, 240, 3), 128, np.uint8)
    rng = np.random.default_rng(0)
    picture[80:120, 140:180] = rng.integers(0, 256, (40, 40, 3))
    return picture


def test_the_crop_is_where_hr_is_liveliest(lively):
    top, left = most_detailed_crop(lively, 40)
    assert abs(top - 80) <= 1
    assert abs(left - 140) <= 1


def test_the_crop_lies_on_the_lr_grid(lively):
    top, left = most_detailed_crop(lively[3:, 1:], 48, multiple=4)
    assert top % 4 == left % 4 == 0


def test_the_crop_keeps_away_from_the_edge():
    picture = np.full((200, 240, 3), 128, np.uint8)
    picture[:6:2] = 0
    top, _ = most_detailed_crop(picture, 48)
    assert top >= 12


@pytest.mark.parametrize("size", [(96, 300), (96, 96), (20, 30)])
def test_a_crop_as_large_as_the_picture_fits(size):
    picture = np.random.default_rng(0).integers(0, 256, (*size, 3), dtype=np.uint8)
    side = min(*size, 96)
    top, left = most_detailed_crop(picture, side, multiple=4)
    assert 0 <= top <= size[0] - side
    assert 0 <= left <= size[1] - side


def sheet(hr, models=("bicubic", "pretrained", "generator")):
    lr = downscale(hr, 4)
    sr = enlarge_image(lr, 4)
    return comparison(lr, dict.fromkeys(models, sr), hr, scale=4)


def test_the_comparison_has_a_column_for_lr_each_model_and_hr(lively):
    widths = [sheet(lively, models).shape[1] for models in (("a",), ("a", "b"))]
    column = widths[1] - widths[0]
    assert widths[0] // column == 3


def test_the_comparison_is_an_8_bit_colour_picture_on_white(lively):
    drawn = sheet(lively)
    assert (drawn.dtype, drawn.ndim, drawn.shape[2]) == (np.uint8, 3, 3)
    assert (drawn[-6:] == 255).all()
    assert (drawn[:, :6] == 255).all()


def test_the_last_column_ends_with_hrs_crop_enlarged_pixel_by_pixel(lively):
    top, left = most_detailed_crop(lively, 96, multiple=4)
    crop = lively[top : top + 96, left : left + 96].repeat(4, axis=0).repeat(4, axis=1)
    np.testing.assert_array_equal(sheet(lively)[-396:-12, -396:-12], crop)


def test_the_same_pictures_make_the_same_comparison(lively):
    np.testing.assert_array_equal(sheet(lively), sheet(lively))


def test_small_and_uneven_pictures_are_drawn(photo):
    assert sheet(photo[:40, :64]).shape[0] > 384
