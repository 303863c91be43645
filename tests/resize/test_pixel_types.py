"""Every number a file can hold comes back from the network's tensors."""

import numpy as np
import pytest
import torch

from srmodels.resize.tensors import to_image, to_tensor


@pytest.mark.parametrize("kind", [np.uint8, np.uint16])
def test_whole_numbers_come_back(kind):
    numbers = np.arange(np.iinfo(kind).max + 1, dtype=kind)[:, None, None].repeat(3, 2)
    lr = to_tensor(numbers)
    assert (lr.min(), lr.max()) == (0, 1)
    np.testing.assert_array_equal(to_image(lr, numbers.dtype), numbers)


@pytest.mark.parametrize("kind", [np.uint8, np.uint16])
def test_what_is_beyond_black_and_white_is_cut(kind):
    sr = torch.tensor([-0.5, 1.5, 2.0]).view(1, 3, 1, 1)
    white = np.iinfo(kind).max
    assert to_image(sr, np.dtype(kind)).flatten().tolist() == [0, white, white]


def test_floats_come_back_whatever_they_are():
    floats = np.array([[[-0.25, 0.3, 1.75]]], np.float32)
    np.testing.assert_array_equal(to_image(to_tensor(floats), floats.dtype), floats)


def test_another_kind_is_a_programmers_fault():
    with pytest.raises(AssertionError, match=r"uint8, uint16 or float32 \(got float64\)"):
        to_tensor(np.zeros((1, 1, 3)))
