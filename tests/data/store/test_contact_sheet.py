"""The contact sheet shows the stored pairs themselves."""

import numpy as np
import pytest

from srmodels.data.patches.cut import cut
from srmodels.data.patches.settings import PatchSettings
from srmodels.data.store.contact_sheet import contact_sheet, sample
from srmodels.data.store.reader import PatchStore
from srmodels.data.store.writer import ShardWriter, write_index
from srmodels.resize.tensors import enlarge_image
from tests.images.pictures import pattern

GAP, SIDE = 6, 32


@pytest.fixture(scope="module")
def store(tmp_path_factory):
    folder = tmp_path_factory.mktemp("store")
    pieces = cut(pattern(), PatchSettings(patch_size=8, stride=8), 4)
    with ShardWriter(folder, 0, patch_size=8, scale=4) as writer:
        rows = writer.add("a/very/long/name/of/a/photograph/" * 9 + "\udcff日本.png", pieces)
    write_index(rows, folder)
    return PatchStore(folder)


def test_hr_stands_beside_the_lr_pixels_it_belongs_to(store):
    sheet = contact_sheet(store, [5], scale_lr="nearest")
    hr, lr = store.pair(5)
    assert (sheet[GAP : GAP + SIDE, GAP : GAP + SIDE] == hr).all()
    shown = sheet[GAP : GAP + SIDE, GAP + SIDE : GAP + 2 * SIDE]
    assert (shown == np.kron(lr, np.ones((4, 4, 1), np.uint8))).all()


def test_lr_can_be_shown_enlarged_by_the_protocols_bicubic(store):
    sheet = contact_sheet(store, [5], scale_lr="bicubic")
    shown = sheet[GAP : GAP + SIDE, GAP + SIDE : GAP + 2 * SIDE]
    assert (shown == enlarge_image(np.array(store.pair(5)[1]), 4)).all()


def test_a_caption_tells_what_a_photograph_was_reduced_to(tmp_path):
    pieces = cut(pattern(), PatchSettings(patch_size=8, stride=8), 4)
    sheets = []
    for share in (1.0, 0.75):
        folder = tmp_path / str(share)
        folder.mkdir()
        with ShardWriter(folder, 0, patch_size=8, scale=4) as writer:
            write_index(writer.add("a.png", pieces, reduced_to=share), folder)
        sheets.append(contact_sheet(PatchStore(folder), [0], scale_lr="nearest"))
    assert (sheets[0][: GAP + SIDE] == sheets[1][: GAP + SIDE]).all()
    assert (sheets[0] != sheets[1]).any()


def test_a_caption_lies_inside_the_sheet_below_its_pair(store):
    sheet = contact_sheet(store, [0], scale_lr="nearest")
    written = sheet[GAP + SIDE :].max(axis=(1, 2)) > 100
    assert written.any()
    assert (sheet[-GAP:] == 32).all()
    assert (sheet[:, -2:] == 32).all()


def test_each_pair_has_its_own_place(store):
    seven = contact_sheet(store, list(range(7)), scale_lr="nearest")
    for row in range(7):
        hr = store.pair(row)[0]
        windows = np.lib.stride_tricks.sliding_window_view(seven, hr.shape)[:, :, 0]
        candidates = np.argwhere((windows[:, :, 0, 0] == hr[0, 0]).all(axis=-1))
        assert sum((windows[y, x] == hr).all() for y, x in candidates) == 1


def test_the_sample_depends_on_the_seed_and_holds_no_row_twice(store):
    assert sample(store, 6, seed=0) == sample(store, 6, seed=0) != sample(store, 6, seed=1)
    assert sample(store, 100, seed=0) == list(range(len(store)))


def test_each_row_is_as_likely(store):
    drawn = [row for seed in range(600) for row in sample(store, 3, seed=seed)]
    assert np.bincount(drawn, minlength=12).min() > 110
    assert np.bincount(drawn, minlength=12).max() < 190
