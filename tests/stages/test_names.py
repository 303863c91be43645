"""A name that DVC cannot record is named before DVC meets it."""

import os

import pytest

from srmodels.errors import DataError
from stages.code import check_names


def test_a_name_that_is_not_utf8_is_named(tmp_path):
    folder = tmp_path / "trip"
    folder.mkdir()
    (folder / "é.png").write_bytes(b"x")
    check_names(tmp_path, "data.photos")
    with open(os.path.join(os.fsencode(folder), b"caf\xe9.png"), "wb"):  # noqa: PTH118, PTH123
        pass
    with pytest.raises(DataError, match=r"caf\\xe9\.png"):
        check_names(tmp_path, "data.photos")


def test_a_folder_that_is_missing_is_for_the_next_stage(tmp_path):
    check_names(tmp_path / "none", "data.photos")
