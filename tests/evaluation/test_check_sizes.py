"""Pictures that cannot be scored are named before anything is computed."""

import numpy as np
import pytest

from srmodels.errors import ProtocolError
from srmodels.evaluation.scores import check_fit


def picture(width, height):
    return np.zeros((height, width, 3), np.uint8)


def test_pictures_that_fit_pass():
    check_fit([("a", picture(43, 20))], {"a": picture(10, 5)}, scale=4)


def test_no_picture_is_refused():
    with pytest.raises(ProtocolError, match="no picture to score"):
        check_fit([], scale=4)


@pytest.mark.parametrize(("perceptual", "least"), [(False, 20), (True, 32)])
def test_small_pictures_are_named_with_what_would_be_right(perceptual, least):
    images = [("a", picture(99, least - 1)), ("b", picture(3, 3)), ("c", picture(least, least))]
    with pytest.raises(ProtocolError, match=rf"a: 99 x {least - 1}; b: 3 x 3 .*least {least} "):
        check_fit(images, scale=4, perceptual=perceptual)


def test_every_lr_of_another_size_is_named():
    images = [(name, picture(40, 80)) for name in "abcdefg"]
    small = dict.fromkeys("abcdefg", picture(20, 40)) | {"b": picture(10, 20)}
    with pytest.raises(ProtocolError, match=r"got a: 20 x 40 for 40 x 80; c.* 1 more"):
        check_fit(images, small, scale=4)
