"""The protocol's resize against MATLAB's imresize, written again here from its definition."""

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from srmodels.resize.images import crop_to_multiple, downscale
from srmodels.resize.tensors import enlarge, enlarge_image, reduce, to_image, to_tensor


def cubic(x):
    """Keys 1981, eq. 15, with a = -0.5."""
    x = np.abs(x)
    near = 1.5 * x**3 - 2.5 * x**2 + 1
    far = -0.5 * x**3 + 2.5 * x**2 - 4 * x + 2
    return np.where(x <= 1, near, np.where(x <= 2, far, 0))


def weights(length, target):
    """MATLAB's `contributions` as a matrix (target, length); its pixels are counted from 1."""
    scale = target / length
    stretch = min(scale, 1)
    width = 4 / stretch
    centres = np.arange(1, target + 1) / scale + 0.5 * (1 - 1 / scale)
    taps = np.floor(centres - width / 2)[:, None] + np.arange(int(np.ceil(width)) + 2)
    amounts = stretch * cubic(stretch * (centres[:, None] - taps))
    amounts /= amounts.sum(axis=1, keepdims=True)
    mirrored = np.concatenate([np.arange(length), np.arange(length)[::-1]])
    columns = mirrored[np.mod(taps.astype(int) - 1, 2 * length)]
    matrix = np.zeros((target, length))
    np.add.at(matrix, (np.arange(target)[:, None], columns), amounts)
    return matrix


def imresize(image, height, width):
    """Rows, then columns, in float64; rounded and clamped as a conversion to uint8 does."""
    tall = np.tensordot(weights(image.shape[0], height), image.astype(float), axes=1)
    resized = np.tensordot(weights(image.shape[1], width), tall, axes=(1, 1)).swapaxes(0, 1)
    return np.floor(resized + 0.5).clip(0, 255).astype(np.uint8)


def agree(ours, matlabs):
    """Within a tie's rounding, and hardly any tie."""
    difference = np.abs(ours.astype(int) - matlabs)
    return difference.max() <= 1 and (difference > 0).mean() < 0.01


SIZES = [(24, 32), (7, 51), (40, 5), (3, 3), (1, 9)]


@pytest.mark.parametrize("scale", [2, 3, 4, 8])
@pytest.mark.parametrize("size", SIZES)
def test_reducing_is_matlabs(size, scale):
    height, width = size
    hr = np.random.default_rng(1).integers(0, 256, (height * scale, width * scale, 3), np.uint8)
    assert agree(downscale(hr, scale), imresize(hr, height, width))


@pytest.mark.parametrize("scale", [2, 3, 4, 8])
@pytest.mark.parametrize("size", SIZES)
def test_enlarging_is_matlabs(size, scale):
    lr = np.random.default_rng(2).integers(0, 256, (*size, 3), np.uint8)
    assert agree(enlarge_image(lr, scale), imresize(lr, size[0] * scale, size[1] * scale))


@pytest.mark.parametrize("scale", [2, 3, 4, 8])
def test_a_picture_with_edges_is_reduced_as_matlab_does(photo, scale):
    hr = crop_to_multiple(photo, scale)
    height, width = (length // scale for length in hr.shape[:2])
    assert agree(downscale(hr, scale), imresize(hr, height, width))


@pytest.mark.parametrize("level", [0, 1, 127, 254, 255])
def test_a_flat_picture_stays_flat_both_ways(level):
    flat = np.full((24, 16, 3), level, np.uint8)
    assert (downscale(flat, 4) == level).all()
    assert (enlarge_image(flat, 4) == level).all()


@pytest.mark.parametrize("scale", [2, 3, 4, 8])
@pytest.mark.parametrize("size", [*SIZES, (70, 20)])
def test_pictures_are_reduced_as_tensors_are(size, scale):
    height, width = size
    hr = np.random.default_rng(3).integers(0, 256, (height * scale, width * scale, 3), np.uint8)
    planes = torch.from_numpy(hr).permute(2, 0, 1)[None].float()
    values = reduce(planes, scale).clamp(0, 255)[0].permute(1, 2, 0).numpy()
    assert np.abs(downscale(hr, scale) - values).max() <= 0.5 + 1e-4


@pytest.mark.parametrize("scale", [2, 4, 8])
def test_ties_are_rounded_up_as_the_exact_sums_would_be(scale):
    hr = np.random.default_rng(4).integers(0, 256, (16 * scale, 24 * scale, 3), np.uint8)
    rows, columns = (weights(length * scale, length) for length in (16, 24))
    exact = np.einsum("yh,xw,hwc->yxc", rows, columns, hr.astype(float))  # multiples of 2^-24
    wanted = np.floor(np.round(exact * 2**26) / 2**26 + 0.5).clip(0, 255)
    np.testing.assert_array_equal(downscale(hr, scale), wanted)


def tap_by_tap(hr, scale):
    """The reduction as it always was: down in float32, then across in float64, from tap to tap."""
    places = np.arange(-2 * scale, 2 * scale + scale % 2)
    amounts = cubic((places + (0 if scale % 2 else 0.5)) / scale)
    amounts /= amounts.sum()

    def taps(length):
        first = np.arange(0, length, scale) + scale // 2
        mirrored = np.concatenate([np.arange(length), np.arange(length)[::-1]])
        return [mirrored[(first + place) % (2 * length)] for place in places]

    lines = np.zeros((hr.shape[0] // scale, *hr.shape[1:]), np.float32)
    for amount, rows in zip(amounts, taps(hr.shape[0]), strict=True):
        lines += np.float32(amount) * hr[rows]
    total = np.full((lines.shape[0], hr.shape[1] // scale, hr.shape[2]), 0.5)
    for amount, columns in zip(amounts, taps(hr.shape[1]), strict=True):
        total += amount * lines[:, columns]
    return total.clip(0, 255).astype(np.uint8)


@settings(deadline=None)
@given(
    height=st.integers(1, 40),
    width=st.integers(1, 40),
    channels=st.integers(1, 4),
    scale=st.integers(1, 9),
    levels=st.sampled_from([2, 256]),
    seed=st.integers(0, 99),
)
def test_sums_are_rounded_in_one_order_at_every_scale(height, width, channels, scale, levels, seed):
    size = (height * scale, width * scale, channels)
    hr = np.random.default_rng(seed).integers(0, levels, size, np.uint8) * (255 // (levels - 1))
    np.testing.assert_array_equal(downscale(hr, scale), tap_by_tap(hr, scale))


def test_a_part_of_a_picture_is_reduced_as_its_copy(photo):
    part = photo[3:83, 5:125]
    np.testing.assert_array_equal(downscale(part, 4), downscale(part.copy(), 4))


def test_turning_and_reducing_commute(photo):
    turned = downscale(np.ascontiguousarray(photo[::-1, ::-1]), 4)
    np.testing.assert_array_equal(turned, downscale(photo, 4)[::-1, ::-1])


def test_each_channel_is_resized_alone(photo):
    only_red = photo * np.array([1, 0, 0], np.uint8)
    assert (downscale(only_red, 4)[..., 1:] == 0).all()
    np.testing.assert_array_equal(downscale(only_red, 4)[..., 0], downscale(photo, 4)[..., 0])


def test_tensors_of_a_batch_are_resized_alone():
    batch = torch.rand(2, 3, 16, 24)
    for resize in (reduce, enlarge):
        assert torch.allclose(resize(batch, 4)[1:], resize(batch[1:], 4), atol=1e-6)


def test_overshoot_is_kept_until_a_picture_is_made():
    edge = torch.zeros(1, 3, 8, 8)
    edge[..., 4:] = 1
    large = enlarge(edge, 4)
    assert large.min() < -0.01
    assert large.max() > 1.01
    assert to_image(large).min() == 0


def test_reducing_is_differentiable():
    hr = torch.rand(1, 3, 16, 16, requires_grad=True)
    reduce(hr, 4).sum().backward()
    assert hr.grad is not None
    assert hr.grad.sum() == pytest.approx(3 * 4 * 4, rel=1e-4)


def test_an_image_survives_the_way_to_a_tensor_and_back(photo):
    tensor = to_tensor(photo)
    assert (tensor.shape, tensor.dtype) == ((1, 3, 96, 128), torch.float32)
    assert tensor.max() <= 1
    np.testing.assert_array_equal(to_image(tensor), photo)


def test_a_picture_is_clamped_and_rounded_half_up():
    values = torch.tensor([-0.2, 0.4999 / 255, 0.5001 / 255, 1.7]).view(1, 1, 1, 4)
    assert to_image(values.expand(1, 3, 1, 4))[0, :, 0].tolist() == [0, 0, 1, 255]


def test_cropping_takes_from_the_bottom_and_the_right(photo):
    np.testing.assert_array_equal(crop_to_multiple(photo, 7), photo[:91, :126])
    assert crop_to_multiple(photo, 4).shape == photo.shape


def test_reducing_wants_a_multiple_of_the_scale(photo):
    with pytest.raises(AssertionError, match="crop_to_multiple"):
        downscale(photo[:-1], 4)
