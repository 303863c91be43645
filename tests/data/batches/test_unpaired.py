"""Unpaired batches: no photograph on both sides, whatever the step."""

import numpy as np
import pytest

from srmodels.data.batches.unpaired import UnpairedSampler, disjoint_halves
from srmodels.data.patches.cut import cut
from srmodels.data.patches.settings import PatchSettings
from srmodels.data.store.reader import PatchStore
from srmodels.data.store.writer import ShardWriter, write_index
from srmodels.errors import DataError


def store_of(folder, count):
    """A store whose photographs are each of one colour, so that a crop tells its photograph."""
    folder.mkdir()
    with ShardWriter(folder, 0, patch_size=16, scale=4) as writer:
        settings = PatchSettings(patch_size=16, stride=16)
        rows = [
            row
            for index in range(count)
            for row in writer.add(
                f"{index}.png",
                cut(np.full((64 * (1 + index % 3), 64, 3), 10 * index, np.uint8), settings, 4),
            )
        ]
    write_index(rows, folder)
    return PatchStore(folder)


def test_lr_and_hr_never_come_from_one_photograph(tmp_path):
    store = store_of(tmp_path / "s", 9)
    sampler = UnpairedSampler(store, patch_size=8, batch_size=16, seed=0, scale=4)
    low, high = set(), set()
    for step in range(40):
        batch = sampler.batch(step)
        low |= {round(float(mean) * 255) for mean in batch.lr.mean((1, 2, 3))}
        high |= {round(float(mean) * 255) for mean in batch.hr.mean((1, 2, 3))}
        assert set(batch.photos[:16]).isdisjoint(batch.photos[16:])
    assert low.isdisjoint(high)
    assert len(low | high) == 9


def test_a_batch_has_the_shapes_of_a_paired_one(tmp_path):
    store = store_of(tmp_path / "s", 4)
    batch = UnpairedSampler(store, patch_size=8, batch_size=3, seed=0, scale=4).batch(0)
    assert batch.lr.shape == (3, 3, 8, 8)
    assert batch.hr.shape == (3, 3, 32, 32)


def test_the_halves_are_of_about_the_same_size_and_hold_every_row(tmp_path):
    store = store_of(tmp_path / "s", 12)
    first, second = disjoint_halves(store)
    assert sorted([*first, *second]) == list(range(len(store)))
    assert abs(len(first) - len(second)) <= 3


def test_one_photograph_cannot_be_halved(tmp_path):
    with pytest.raises(DataError, match="two photographs or more"):
        disjoint_halves(store_of(tmp_path / "s", 1))
