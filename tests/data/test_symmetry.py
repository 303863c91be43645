"""A turned copy is numpy's own turning and mirroring, whatever the way it was copied in."""

import numpy as np
import pytest

from srmodels.data.symmetry import turned


@pytest.mark.parametrize("order", [None, [0, 1, 2], [2, 0, 1]])
@pytest.mark.parametrize("which", range(8))
@pytest.mark.parametrize("side", [1, 127, 129, 300])
def test_it_is_numpys(side, which, order):
    whole = np.random.default_rng(side).integers(0, 256, (310, 320, 3), np.uint8)
    whole.flags.writeable = False  # as a mapped shard is
    crop = whole[5 : 5 + side, 7 : 7 + side]
    expected = crop.swapaxes(0, 1) if which & 1 else crop
    expected = np.flipud(expected) if which & 2 else expected
    expected = np.fliplr(expected) if which & 4 else expected
    out = turned(crop, which, order)
    assert (out == expected[..., order or [0, 1, 2]]).all()
    assert out.flags.c_contiguous
