"""The table of photographs and its settings."""

import pytest

from srmodels.data.photos.settings import PhotosSettings
from srmodels.data.photos.table import Photo, check_splits, read_photos, write_photos
from srmodels.errors import DataError
from tests.images.pictures import write


def test_the_table_leads_back_to_the_same_photographs(tmp_path):
    names = ["NA.png", "b,c.png", "d\n.png", b"caf\xe9.png".decode("utf-8", "surrogateescape")]
    photos = [Photo(name, "train", f"/{name}", 3, "0", f"/x4/{name}", "1") for name in names]
    write_photos(photos, tmp_path)
    assert read_photos(tmp_path) == photos


def test_a_bundled_photograph_is_found_beside_its_table(tmp_path):
    write_photos([Photo("cat", "test", "cat.png", 3, "0")], tmp_path)
    (photo,) = read_photos(tmp_path)
    assert (photo.path, photo.lr) == (str(tmp_path / "cat.png"), "")


def test_a_missing_table_asks_for_the_stage(tmp_path):
    with pytest.raises(DataError, match="run the stage `photos`"):
        read_photos(tmp_path)


def test_a_table_that_is_none_is_named(tmp_path):
    write(tmp_path, "photos.csv", b"what,ever\n1,2\n")
    with pytest.raises(DataError, match=r"photos\.csv: is no table"):
        read_photos(tmp_path)


@pytest.mark.parametrize(
    "values", [{"validation": -0.1}, {"test": 1.0}, {"validation": 0.5, "test": 0.5}]
)
def test_shares_out_of_range_are_refused(values):
    with pytest.raises(ValueError, match="must"):
        PhotosSettings(**values)


@pytest.mark.parametrize("missing", ["validation", "test"])
def test_an_empty_split_is_named_before_anything_is_cut(missing):
    there = [split for split in ("train", "validation", "test") if split != missing]
    photos = [Photo(f"{split}/cat.png", split, "cat.png", 1, "0") for split in there]
    with pytest.raises(DataError, match=f"no photograph for {missing} \\(got 1 for train"):
        check_splits(photos)
