"""A painted copy is numpy's own turning, mirroring and dividing, bit for bit."""

from itertools import permutations

import numpy as np
import pytest

from srmodels.data.batches.augment import crop_and_augment


@pytest.mark.parametrize("order", list(permutations(range(3))))
@pytest.mark.parametrize("symmetry", range(8))
@pytest.mark.parametrize("side", [1, 24, 129])  # less than a block of rows, and several
def test_it_is_numpys(side, symmetry, order):
    image = np.random.default_rng(side).integers(0, 256, (310, 320, 3), np.uint8)
    image.flags.writeable = False  # as a mapped shard is
    crop = image[5 : 5 + side, 7 : 7 + side]
    expected = crop.swapaxes(0, 1) if symmetry & 1 else crop
    expected = np.flipud(expected) if symmetry & 2 else expected
    expected = np.fliplr(expected) if symmetry & 4 else expected
    out = np.empty((side, side, 3), np.float32)
    crop_and_augment(image, (5, 7), symmetry, order, out=out)
    assert (out == expected[..., order].astype(np.float32) / np.float32(255)).all()


@pytest.mark.parametrize("corner", [(-1, 0), (0, 16), (17, 0)])
def test_a_crop_that_reaches_beyond_the_picture_is_refused(corner):
    with pytest.raises(AssertionError, match=r"no crop of 5 pixels at .* lies in 20x20"):
        crop_and_augment(
            np.zeros((20, 20, 3), np.uint8), corner, 0, out=np.zeros((5, 5, 3), np.float32)
        )
