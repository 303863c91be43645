"""The store: complete or refused, and the shard that is wrong is named."""

import time
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest

from srmodels.data.patches.cut import cut
from srmodels.data.patches.settings import PatchSettings
from srmodels.data.store.files import open_patches
from srmodels.data.store.reader import PatchStore
from srmodels.data.store.writer import NpyWriter, ShardWriter, shard_of, write_index
from srmodels.errors import DataError
from tests.images.pictures import pattern

PIECES = cut(pattern(), PatchSettings(patch_size=8, stride=8), 4)


OTHERS = cut(pattern()[::-1].copy(), PatchSettings(patch_size=8, stride=8), 4)


def written(folder, photos, store="raw"):
    """Writes a store: by shard, photographs and their patches."""
    folder.mkdir(exist_ok=True)
    rows = []
    for shard, pieces in photos.items():
        with ShardWriter(folder, shard, patch_size=8, scale=4, store=store) as writer:
            for photo, cuts in pieces.items():
                rows += writer.add(photo, cuts)
    write_index(rows, folder)
    return folder


@pytest.fixture
def folder(tmp_path):
    return written(tmp_path, {2: {"a.png": PIECES, "NA": PIECES}, 5: {"b.png": PIECES}})


def test_what_was_written_is_read(folder):
    store = PatchStore(folder)
    assert len(store) == 36
    assert (store.patch_size, store.scale) == (8, 4)
    assert store.photos == ["a.png"] * 12 + ["NA"] * 12 + ["b.png"] * 12
    hr, lr = store.pair(13)
    assert (hr == PIECES.hr[1]).all()
    assert (lr == PIECES.lr[1]).all()


def test_every_row_has_its_photograph_box_sharpness_and_place(folder):
    row = PatchStore(folder).record(13)
    assert (row.photo, row.split, row.shard, row.row) == ("NA", "train", 2, 13)
    assert (row.top, row.left) == tuple(PIECES.boxes[1])
    assert row.sharpness == PIECES.sharpness[1] > 0


def test_a_row_tells_what_its_photograph_was_reduced_to(tmp_path):
    with ShardWriter(tmp_path, 0, patch_size=8, scale=4) as writer:
        rows = writer.add("a.png", PIECES) + writer.add("a.png", PIECES, reduced_to=0.6)
    write_index(rows, tmp_path)
    store = PatchStore(tmp_path)
    assert [store.record(row).reduced_to for row in (0, len(store) - 1)] == [1.0, 0.6]


def test_shards_are_plain_npy_files(folder):
    assert np.load(folder / "hr-005.npy").shape == (12, 32, 32, 3)
    assert np.load(folder / "lr-002.npy").dtype == np.uint8


def test_nothing_is_mapped_before_it_is_used(folder, monkeypatch):
    store = PatchStore(folder)
    opened = []
    load = np.load
    monkeypatch.setattr(np, "load", lambda path, **kind: opened.append(path) or load(path, **kind))
    store.pair(30)
    store.pair(31)
    assert [path.name for path in opened] == ["hr-005.npy", "lr-005.npy"]


def test_threads_open_shards_one_after_the_other(folder, monkeypatch):
    # Python 3.11: "AST constructor recursion depth mismatch" when two threads parse headers at once
    store, busy, most = PatchStore(folder), [], []

    def slowly(path):
        busy.append(path)
        time.sleep(0.02)
        most.append(len(busy))
        busy.remove(path)
        return open_patches(path)

    monkeypatch.setattr("srmodels.data.store.reader.open_patches", slowly)
    with ThreadPoolExecutor(4) as threads:
        list(threads.map(store.pair, range(len(store))))
    assert set(most) == {1}


@pytest.mark.parametrize("side", [1, 128, 131])  # less than a piece, whole pieces, and a rest
def test_rows_of_many_pieces_are_read_as_they_were(side, tmp_path):
    rows = np.random.default_rng(side).integers(0, 256, (3, side, side, 3), np.uint8)
    array = NpyWriter(tmp_path / "rows.npy", rows.shape[1:])
    array.add(rows)
    array.add(rows[::-1])
    array.finish()
    assert (np.load(tmp_path / "rows.npy") == np.concatenate([rows, rows[::-1]])).all()


def test_a_writer_that_fails_leaves_nothing_behind(tmp_path):
    writer = ShardWriter(tmp_path, 0, patch_size=8, scale=4)
    writer.add("a", PIECES)
    writer.__exit__(OSError, OSError("disk full"), None)
    assert not list(tmp_path.iterdir())


def test_until_it_is_complete_a_shard_has_another_name(tmp_path):
    with ShardWriter(tmp_path, 0, patch_size=8, scale=4) as writer:
        writer.add("a", PIECES)
        assert {path.suffix for path in tmp_path.iterdir()} == {".part"}
    assert {path.suffix for path in tmp_path.iterdir()} == {".npy"}


def test_a_shard_without_patches_makes_no_file(tmp_path):
    with ShardWriter(tmp_path, 0, patch_size=8, scale=4):
        pass
    assert not list(tmp_path.iterdir())


def test_a_store_without_its_index_is_not_complete(folder):
    (folder / "index.csv").unlink()
    with pytest.raises(DataError, match="Run the stage `patches`"):
        PatchStore(folder)


def _cut_off(path):
    path.write_bytes(path.read_bytes()[:-1])


def _replace(path):
    np.save(path, np.zeros((3, 8, 8, 3), np.uint8))


def _floats(path):
    np.save(path, np.zeros((12, 8, 8, 3), np.float32))


@pytest.mark.parametrize(
    ("harm", "sentence"),
    [
        (lambda path: path.unlink(), "not found, but the index lists it"),
        (_cut_off, "is damaged"),
        (lambda path: path.write_bytes(b""), "is damaged"),
        (lambda path: path.write_bytes(b"rubbish"), "is damaged"),
        (_replace, r"does not fit the index \(got 3 rows, not 12\)"),
        (_floats, "holds no patches"),
    ],
)
def test_a_wrong_shard_is_named(harm, sentence, folder):
    harm(folder / "lr-005.npy")
    with pytest.raises(DataError, match=rf"lr-005\.npy: {sentence}"):
        PatchStore(folder)


def test_a_changed_patch_is_found_and_its_shard_named(folder):
    store = PatchStore(folder)
    store.verify()
    path = folder / "hr-005.npy"
    data = bytearray(path.read_bytes())
    data[-12 * 3 * 32 * 32 // 2] ^= 1  # neither the first nor the last, which are always compared
    path.write_bytes(bytes(data))
    with pytest.raises(DataError, match=r"hr-005\.npy: its row 6 .* is not what the index says"):
        PatchStore(folder).verify()


@pytest.mark.parametrize("store", ["raw", "webp"])
def test_swapped_shards_of_one_size_are_named(store, tmp_path):
    folder = written(tmp_path, {2: {"a": PIECES}, 5: {"b": OTHERS}}, store)
    first, second = (next(folder.glob(f"hr-00{shard}.*")) for shard in (2, 5))
    first.rename(folder / "moved")
    second.rename(first)
    (folder / "moved").rename(second)
    with pytest.raises(DataError, match=rf"{first.name}: its row 0 .* of another run\)"):
        PatchStore(folder)


@pytest.mark.parametrize("store", ["raw", "webp"])
def test_a_shard_of_another_run_is_named(store, tmp_path):
    folder = written(tmp_path / "this", {2: {"a": PIECES}, 5: {"b": PIECES}}, store)
    other = written(tmp_path / "other", {5: {"b": OTHERS}}, store)
    for path in other.glob("*-005.*"):
        path.replace(folder / path.name)
    with pytest.raises(DataError, match=r"hr-005\.\w+: its row 0 .* of another run\)"):
        PatchStore(folder)


def test_an_index_that_lists_rows_the_shard_has_not_is_told(folder):
    path = folder / "index.csv"
    path.write_text(path.read_text().replace("train,5,11,", "train,5,12,"))
    with pytest.raises(
        DataError, match=r"hr-005\.npy: does not fit the index \(got 12 rows, not 13\)"
    ):
        PatchStore(folder)


@pytest.mark.parametrize("text", ["", "photo,split\n", "photo\na,b\n", "photo,shard\na,x\n"])
def test_an_index_that_is_none_is_named(text, folder):
    (folder / "index.csv").write_text(text)
    with pytest.raises(DataError, match=r"index\.csv"):
        PatchStore(folder)


def test_the_digest_is_the_indexes(folder):
    before = PatchStore(folder).digest()
    assert before == PatchStore(folder).digest()
    text = (folder / "index.csv").read_text()
    (folder / "index.csv").write_text(text.replace("b.png", "c.png"))
    assert PatchStore(folder).digest() != before


def test_a_photographs_shard_depends_on_its_name_alone():
    assert [shard_of(name, 16) for name in ("a.png", "b.png", "c.png")] == [8, 4, 11]
