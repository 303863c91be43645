"""The field's test sets by name: where they are looked for, and what is no such set."""

import pytest

from srmodels.data.datasets.benchmarks import find_set
from srmodels.errors import DataError
from tests.data.datasets.test_catalog import data, tiny  # noqa: F401 - fixtures


def filled(folder, count):
    folder.mkdir(parents=True)
    for number in range(count):
        (folder / f"{number}.png").write_bytes(b"")
    return folder


def test_a_folder_is_a_set_of_its_name(data, tmp_path):  # noqa: F811
    folder = filled(tmp_path / "mine", 2)
    assert find_set(str(folder), data=data) == ("mine", folder)


@pytest.mark.parametrize(
    "place", ["repo/data", "repo/data/benchmarks", "cache", "cache/benchmarks"]
)
@pytest.mark.parametrize("inner", ["", "HR"])
def test_a_name_is_looked_for_in_the_data_and_in_the_cache(data, tmp_path, place, inner):  # noqa: F811
    folder = filled(tmp_path / place / "Set5" / inner, 5)
    assert find_set("set5", data=data) == ("Set5", folder)


def test_what_is_nowhere_is_an_error_that_lists_the_places(data, tmp_path):  # noqa: F811
    with pytest.raises(DataError, match=r"Urban100: not found .*100 HR pictures") as error:
        find_set("Urban100", data=data)
    assert str(data / "benchmarks" / "Urban100") in str(error.value)
    assert str(tmp_path / "cache" / "Urban100") in str(error.value)


def test_a_folder_of_another_number_of_pictures_is_not_the_set(data):  # noqa: F811
    filled(data / "Set14", 13)
    with pytest.raises(DataError, match=r"Set14: is not Set14 \(got 13 pictures\)"):
        find_set("Set14", data=data)


def test_a_name_that_is_neither_is_refused(data):  # noqa: F811
    with pytest.raises(DataError, match=r"Set6: no such folder. .* Set5, Set14"):
        find_set("Set6", data=data)


def test_of_a_defined_set_only_the_test_pictures_are_fetched(data, tiny, tmp_path, monkeypatch):  # noqa: F811
    monkeypatch.setattr("srmodels.data.datasets.benchmarks._DEFINED", {"Set5": ("tiny", "T_val")})
    monkeypatch.setattr("srmodels.data.datasets.benchmarks.SETS", {"Set5": 1})
    assert find_set("Set5", data=data) == ("Set5", tmp_path / "cache/unpacked/val.zip/val")
    assert not (tmp_path / "cache/tiny.tar").exists()
