"""The compact store: the same pixels in fewer bytes; what is damaged is named."""

import numpy as np
import pytest

from srmodels.data.patches.cut import cut
from srmodels.data.patches.settings import PatchSettings
from srmodels.data.store.reader import PatchStore
from srmodels.data.store.writer import ShardWriter, write_index
from srmodels.errors import DataError
from tests.images.pictures import pattern

PIECES = cut(pattern(), PatchSettings(patch_size=8, stride=8), 4)


@pytest.fixture
def folder(tmp_path):
    with ShardWriter(tmp_path, 3, patch_size=8, scale=4, store="webp") as writer:
        rows = writer.add("a.png", PIECES)
    write_index(rows, tmp_path)
    return tmp_path


def test_every_pixel_comes_back(folder):
    store = PatchStore(folder)
    store.verify()
    assert (store.patch_size, store.scale, len(store)) == (8, 4, len(PIECES.hr))
    for row in range(len(store)):
        hr, lr = store.pair(row)
        assert (hr == PIECES.hr[row]).all()
        assert (lr == PIECES.lr[row]).all()


def test_a_file_is_two_arrays_the_pictures_and_where_each_begins(folder):
    with (folder / "hr-003.webps").open("rb") as file:
        pictures, starts = np.load(file), np.load(file)
    assert len(starts) == len(PIECES.hr) + 1
    assert pictures[starts[4] :][:4].tobytes() == b"RIFF"


def test_until_it_is_complete_a_file_has_another_name(tmp_path):
    with ShardWriter(tmp_path, 0, patch_size=8, scale=4, store="webp") as writer:
        writer.add("a", PIECES)
        assert {path.suffix for path in tmp_path.iterdir()} == {".part"}
    assert {path.suffix for path in tmp_path.iterdir()} == {".webps"}


@pytest.mark.parametrize("name", ["hr-003.webps", "lr-003.webps"])
@pytest.mark.parametrize("length", [0, 60, 1000, -60, -1])
def test_a_file_that_is_cut_off_is_named(name, length, folder):
    (folder / name).write_bytes((folder / name).read_bytes()[:length])
    with pytest.raises(DataError, match=rf"{name}: is damaged \(.*. Run the stage `patches` again"):
        PatchStore(folder)


def test_a_missing_file_is_named(folder):
    (folder / "lr-003.webps").unlink()
    with pytest.raises(DataError, match=r"lr-003\.webps: not found, but the index lists it"):
        PatchStore(folder)


def test_a_picture_that_cannot_be_decoded_is_named(folder):
    path = folder / "hr-003.webps"
    data = bytearray(path.read_bytes())
    where = [at for at in range(len(data)) if data.startswith(b"RIFF", at)][5]
    data[where : where + 4] = b"JUNK"
    path.write_bytes(bytes(data))
    with pytest.raises(DataError, match=r"hr-003\.webps: its row 5 is damaged"):
        PatchStore(folder).verify()
