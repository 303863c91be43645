"""What the tests of metrics share."""

import numpy as np
import pytest
import torch
from skimage import data

from srmodels.resize.images import crop_to_multiple, downscale
from srmodels.resize.tensors import enlarge_image, to_tensor


def bicubic(hr):
    """HR, cut to a multiple of 4, and its bicubic enlargement."""
    hr = crop_to_multiple(hr, 4)
    return hr, enlarge_image(downscale(hr, 4), 4)


@pytest.fixture(scope="session")
def chelsea():
    """A photograph, 448 x 300 pixels."""
    return crop_to_multiple(data.chelsea(), 4)


@pytest.fixture(scope="session")
def pair(chelsea):
    """An odd-sized part of a photograph and its bicubic enlargement: (2, 3, 133, 155)."""
    return torch.cat(
        [to_tensor(np.ascontiguousarray(p[100:233, 90:245])) for p in bicubic(chelsea)]
    )
