"""Pairs of patches are aligned, inside and complete."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from srmodels.data.patches.cut import boxes, cut
from srmodels.data.patches.settings import PatchSettings
from srmodels.errors import PhotoError
from srmodels.resize.images import downscale
from tests.images.pictures import pattern

sizes = st.integers(1, 90)


@given(height=sizes, width=sizes, size=st.integers(1, 40), data=st.data())
def test_boxes_lie_inside_and_cover_every_pixel(height, width, size, data):
    stride = data.draw(st.integers(1, size))
    covered = np.zeros((height, width), bool)
    for top, left in boxes(height, width, size=size, stride=stride):
        assert 0 <= top <= height - size
        assert 0 <= left <= width - size
        covered[top : top + size, left : left + size] = True
    assert covered.all() == (min(height, width) >= size)


@given(height=sizes, width=sizes, size=st.integers(1, 40), stride=st.integers(1, 40))
def test_no_box_comes_twice(height, width, size, stride):
    found = boxes(height, width, size=size, stride=min(size, stride))
    assert len({tuple(box) for box in found}) == len(found)


@settings(max_examples=60, deadline=None)
@given(
    height=st.integers(64, 140),
    width=st.integers(64, 140),
    scale=st.sampled_from([2, 3, 4, 8]),
    data=st.data(),
)
def test_every_hr_patch_is_its_box_and_shrinks_to_its_lr_patch(height, width, scale, data):
    size = data.draw(st.integers(8, min(height, width) // scale))
    stride = data.draw(st.integers(1 if size < 12 else 4, size))
    picture = pattern(height, width)
    pieces = cut(picture, PatchSettings(patch_size=size, stride=stride), scale)
    assert len(pieces.hr) == len(pieces.lr) == len(pieces.boxes) > 0
    for hr, lr, (top, left) in zip(pieces.hr, pieces.lr, pieces.boxes, strict=True):
        y, x, side = top * scale, left * scale, size * scale
        assert min(y, x) >= 0
        assert (y + side <= height, x + side <= width) == (True, True)
        assert (hr == picture[y : y + side, x : x + side]).all()
        # the kernel reaches two LR pixels; nearer to the edge a patch lacks its neighbours
        inner = np.s_[3:-3, 3:-3]
        assert np.abs(downscale(hr, scale)[inner].astype(int) - lr[inner]).max(initial=0) <= 1


@settings(deadline=None)
@given(height=st.integers(64, 140), width=st.integers(64, 140), scale=st.sampled_from([2, 3, 4, 8]))
def test_every_pixel_of_a_photograph_lies_in_some_patch(height, width, scale):
    pieces = cut(pattern(height, width), PatchSettings(patch_size=8, stride=5), scale)
    covered = np.zeros((height, width), bool)
    for top, left in pieces.boxes * scale:
        covered[top : top + 8 * scale, left : left + 8 * scale] = True
    assert covered[: height // scale * scale, : width // scale * scale].all()


def test_a_shift_by_one_pixel_would_be_noticed():
    picture = pattern()
    lr = cut(picture, PatchSettings(patch_size=16, stride=16), 4).lr[0]
    shifted = downscale(np.ascontiguousarray(picture[:64, 1:65]), 4)
    assert np.abs(shifted.astype(int) - lr)[3:-3, 3:-3].max() > 10


def test_lr_is_the_protocols_resize_of_the_whole_photograph():
    picture = pattern(96, 128)
    pieces = cut(picture, PatchSettings(patch_size=8, stride=8), 4)
    whole = downscale(picture, 4)
    for lr, (top, left) in zip(pieces.lr, pieces.boxes, strict=True):
        assert (lr == whole[top : top + 8, left : left + 8]).all()


def test_a_photograph_smaller_than_a_patch_is_refused_with_both_sizes():
    with pytest.raises(PhotoError, match=r"got 128x96 pixels, patch 256x256"):
        cut(pattern(), PatchSettings(), 4)


def test_flat_patches_are_dropped_and_counted_on_request():
    picture = pattern()
    picture[:, :64] = 90
    pieces = cut(picture, PatchSettings(patch_size=8, stride=8, min_deviation=2.0), 4)
    assert pieces.flat > 0
    assert pieces.flat + len(pieces.lr) == 12
    assert pieces.boxes[:, 1].min() >= 8


def test_of_many_patches_the_sharpest_are_kept_on_request():
    everything = cut(pattern(), PatchSettings(patch_size=8, stride=8), 4)
    some = cut(pattern(), PatchSettings(patch_size=8, stride=8, max_per_photo=3), 4)
    assert sorted(some.sharpness) == sorted(everything.sharpness)[-3:]


def test_a_blurred_patch_is_less_sharp():
    picture = pattern()
    blurred = np.repeat(np.repeat(picture[::8, ::8], 8, axis=0), 8, axis=1)
    limits = PatchSettings(patch_size=16, stride=16)
    assert cut(blurred, limits, 4).sharpness.max() < cut(picture, limits, 4).sharpness.min()


def test_sharpness_is_the_mean_step_along_some_rows_and_columns():
    pieces = cut(pattern(), PatchSettings(patch_size=8, stride=5), 4)
    for hr, sharpness in zip(pieces.hr, pieces.sharpness, strict=True):
        green = hr[..., 1].astype(float)
        across = np.abs(np.diff(green[::4], axis=1)).mean()
        down = np.abs(np.diff(green[:, ::4], axis=0)).mean()
        assert sharpness == round((across + down) / 2, 3)


def test_a_given_lr_picture_is_cut_instead_of_an_own():
    picture, limits = pattern(), PatchSettings(patch_size=8, stride=8)
    given_lr = downscale(picture, 4) ^ 1
    own, pieces = cut(picture, limits, 4), cut(picture, limits, 4, lr=given_lr)
    assert (pieces.lr == own.lr ^ 1).all()
    assert (pieces.hr == own.hr).all()


@pytest.mark.parametrize(
    ("values", "sentence"),
    [
        ({"patch_size": 4}, "patch_size must be 8"),
        ({"stride": 65}, "stride must be at most patch_size"),
        ({"stride": 0}, "stride must be 1"),
        ({"workers": -1}, "workers must be 0"),
        ({"max_skipped": 1.5}, "max_skipped must be a share"),
        ({"shards": 1001}, "shards must be at most"),
        ({"seconds_per_photo": -1.0}, "seconds_per_photo must be 0"),
        ({"executor": "dask"}, "scheduler must be an address"),
        ({"scheduler": "tcp://host:8786"}, "scheduler must be an address"),
    ],
)
def test_settings_out_of_range_say_what_they_must_be(values, sentence):
    with pytest.raises(ValueError, match=sentence):
        PatchSettings(**values)
