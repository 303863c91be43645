"""Batches: a function of (seed, step), aligned, in range."""

import hashlib

import numpy as np
import pytest
import torch

from srmodels.data.batches import paired as batches
from srmodels.data.batches.paired import PatchSampler
from srmodels.data.patches.cut import cut
from srmodels.data.patches.settings import PatchSettings
from srmodels.data.store.index import PhotoPatches
from srmodels.data.store.reader import PatchStore
from srmodels.data.store.writer import ShardWriter, write_index
from srmodels.errors import DataError, PhotoError
from srmodels.images.readers.folder import whole_images
from srmodels.resize.tensors import reduce
from tests.images.pictures import encoded, pattern, write


@pytest.fixture(scope="module")
def store(tmp_path_factory):
    folder = tmp_path_factory.mktemp("store")
    rows = []
    for shard, photo, size in ((0, "small", (80, 80)), (3, "large", (160, 240))):
        with ShardWriter(folder, shard, patch_size=20, scale=4) as writer:
            settings = PatchSettings(patch_size=20, stride=20)
            rows += writer.add(photo, cut(pattern(*size), settings, 4))
    write_index(rows, folder)
    return PatchStore(folder)


def sampler(store, **options):
    values = {"patch_size": 16, "batch_size": 32, "seed": 0, "scale": 4} | options
    return PatchSampler(store, **values)


def written(folder, **options):
    """A store of noise in two shards: what it holds depends on nothing but numpy's generator."""
    rng, rows = np.random.default_rng(0), []
    for shard in (1, 4):
        with ShardWriter(folder, shard, patch_size=20, scale=4, **options) as writer:
            hr, lr = (rng.integers(0, 256, (9, side, side, 3), np.uint8) for side in (80, 20))
            boxes = np.zeros((9, 2), np.int64)
            pieces = PhotoPatches(hr=hr, lr=lr, boxes=boxes, sharpness=np.zeros(9), flat=0)
            rows += writer.add(f"noise-{shard}", pieces)
    write_index(rows, folder)
    return PatchStore(folder)


def fingerprint(batch):
    """Of every bit of a batch."""
    digest = hashlib.sha256("".join(batch.photos).encode())
    for images in (batch.lr, batch.hr):
        digest.update(images.permute(0, 2, 3, 1).contiguous().numpy())
    return digest.hexdigest()[:16]


def test_a_batch_has_the_contracts_shape_kind_and_range(store):
    batch = sampler(store).batch(0)
    assert batch.lr.shape == (32, 3, 16, 16)
    assert batch.hr.shape == (32, 3, 64, 64)
    assert len(batch.photos) == 32
    for images in (batch.lr, batch.hr):
        assert images.dtype == torch.float32
        assert 0 <= images.min() < images.max() <= 1


def test_parts_of_a_batch_are_the_whole_and_know_all_its_photographs(store):
    options = {"permute_colours": True, "colour_jitter": 0.1}
    batch = sampler(store, **options).batch(3)
    parts = [sampler(store, part=rows, **options).batch(3) for rows in (slice(8), slice(8, 32))]
    assert torch.equal(torch.cat([part.lr for part in parts]), batch.lr)
    assert torch.equal(torch.cat([part.hr for part in parts]), batch.hr)
    assert {part.photos for part in parts} == {batch.photos}


def test_the_same_seed_and_step_give_the_same_batch(store):
    first, again = sampler(store).batch(7), sampler(store).batch(7)
    assert torch.equal(first.lr, again.lr)
    assert torch.equal(first.hr, again.hr)
    assert first.photos == again.photos


@pytest.mark.parametrize(("seed", "step"), [(0, 8), (1, 7)])
def test_another_seed_or_step_gives_another_batch(seed, step, store):
    assert not torch.equal(sampler(store).batch(7).lr, sampler(store, seed=seed).batch(step).lr)


@pytest.mark.parametrize("step", range(5))
def test_hr_shrinks_to_lr_whatever_the_crop_and_the_turn(step, store):
    batch = sampler(store).batch(step)
    small = reduce(batch.hr, 4)
    inner = np.s_[..., 3:-3, 3:-3]
    assert (small[inner].clamp(0, 1) - batch.lr[inner]).abs().max() <= 1 / 255


def test_all_eight_symmetries_come_up(store):
    batch = sampler(store, patch_size=20, batch_size=200).batch(0)
    first = [lr for lr, photo in zip(batch.lr, batch.photos, strict=True) if photo == "small"]
    assert len({lr.contiguous().numpy().tobytes() for lr in first}) == 8


def test_a_photograph_weighs_as_much_as_its_patches(store):
    photos = [photo for step in range(20) for photo in sampler(store).batch(step).photos]
    assert abs(photos.count("small") / len(photos) - 1 / 7) < 0.05


def test_a_crop_larger_than_the_stored_patch_names_both(store):
    with pytest.raises(DataError, match=r"too small for training\.patch_size 24 \(got 20 LR"):
        sampler(store, patch_size=24)


def test_a_store_of_another_scale_is_refused(store):
    with pytest.raises(DataError, match=r"patches are not of scale 2 \(got 4\)"):
        sampler(store, scale=2)


def test_whole_images_come_by_name_without_their_endings(tmp_path):
    write(tmp_path, "b.png", encoded(pattern(), "PNG"))
    write(tmp_path, "a.bmp", encoded(pattern()[:50], "BMP"))
    write(tmp_path, "notes.txt", b"not a picture")
    images = whole_images(tmp_path)
    assert [(name, image.shape) for name, image in images] == [
        ("a", (50, 128, 3)),
        ("b", (96, 128, 3)),
    ]


def test_whole_images_of_one_name_keep_their_endings(tmp_path):
    write(tmp_path, "a.png", encoded(pattern(), "PNG"))
    write(tmp_path, "a.bmp", encoded(pattern(), "BMP"))
    assert [name for name, _ in whole_images(tmp_path)] == ["a.bmp", "a.png"]


def test_a_broken_whole_image_stops_rather_than_changing_the_mean(tmp_path):
    write(tmp_path, "a.png", b"hello")
    with pytest.raises(PhotoError, match=r"a\.png"):
        whole_images(tmp_path)


def test_a_missing_folder_of_whole_images_is_named(tmp_path):
    with pytest.raises(DataError, match="none: no such folder"):
        whole_images(tmp_path / "none")


def test_permuted_colours_are_the_same_pairs_with_lr_and_hr_permuted_alike(store):
    plain, permuted = sampler(store).batch(3), sampler(store, permute_colours=True).batch(3)
    orders = [
        [
            int((plain.lr[k] == channel).flatten(1).all(dim=1).nonzero())
            for channel in permuted.lr[k]
        ]
        for k in range(32)
    ]
    assert len({tuple(order) for order in orders}) == 6
    for k, order in enumerate(orders):
        assert torch.equal(permuted.hr[k], plain.hr[k][order])


def test_jittered_colours_are_the_same_pairs_stretched_and_shifted_alike(store):
    plain, jittered = sampler(store).batch(3), sampler(store, colour_jitter=0.2).batch(3)
    stretches, shifts = [], []
    for k in range(32):
        for channel in range(3):
            x, y = plain.lr[k, channel].flatten(), jittered.lr[k, channel].flatten()
            stretch = ((y - y.mean()) * (x - x.mean())).sum() / (x - x.mean()).square().sum()
            shift = y.mean() - stretch * x.mean()
            torch.testing.assert_close(
                jittered.lr[k, channel], plain.lr[k, channel] * stretch + shift
            )
            torch.testing.assert_close(
                jittered.hr[k, channel], plain.hr[k, channel] * stretch + shift, rtol=0, atol=1e-4
            )
            stretches.append(stretch.log())
            shifts.append(shift - 0.5 + 0.5 * stretch)
    assert torch.stack(stretches).std().item() == pytest.approx(0.2, rel=0.25)
    assert torch.stack(shifts).std().item() == pytest.approx(0.1, rel=0.25)


@pytest.mark.parametrize(
    ("permute_colours", "patch_size", "expected"),
    [
        (False, 16, "ec3c3c874f7fabd4"),
        (False, 20, "77b5c27c4c89173c"),
        (True, 16, "9a338be9f9a08ed1"),
    ],
)
def test_a_step_has_the_batch_it_always_had(permute_colours, patch_size, expected, tmp_path):
    batches = sampler(written(tmp_path), permute_colours=permute_colours, patch_size=patch_size)
    assert fingerprint(batches.batch(7)) == expected  # dvc.lock's results rest on these bits


@pytest.mark.parametrize("permute_colours", [False, True])
def test_the_compact_stores_batches_are_the_raw_ones(permute_colours, tmp_path):
    stores = []
    for kind in ("raw", "webp"):
        (tmp_path / kind).mkdir()
        stores.append(written(tmp_path / kind, store=kind))
    assert stores[0].digest() == stores[1].digest()
    raw, compact = (sampler(store, permute_colours=permute_colours).batch(3) for store in stores)
    assert fingerprint(raw) == fingerprint(compact)


def test_threads_gather_the_batch_that_one_does(store, monkeypatch):
    alone = sampler(store).batch(5)
    monkeypatch.setattr(batches, "_MIN_THREADED_SIZE", 0)
    monkeypatch.setattr(torch, "get_num_threads", lambda: 3)
    assert fingerprint(sampler(store).batch(5)) == fingerprint(alone)
