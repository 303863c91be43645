"""The table of photographs and its settings."""

import pytest

from srmodels.data.photos.settings import PhotosSettings
from srmodels.data.photos.table import (
    Photo,
    check_splits,
    read_photos,
    small_split_warnings,
    write_photos,
)
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


def photographs(train, validation, test):
    splits = ["train"] * train + ["validation"] * validation + ["test"] * test
    return [Photo(f"{k}.png", split, f"/{k}.png", 3, "0") for k, split in enumerate(splits)]


def test_few_test_photographs_are_warned_of_with_the_number_that_would_do():
    test, validation = small_split_warnings(photographs(2, 1, 1))
    assert test.startswith("data.test: too few test photographs to compare trainings (got 1). Ab")
    assert "About 35 show a difference of 0.1 dB" in test
    assert validation.endswith("(got 1). Set data.validation=0.1, or add photographs.")


def test_eight_test_and_four_validation_photographs_are_not_warned_of():
    assert small_split_warnings(photographs(18, 4, 8)) == []
