"""A name that DVC cannot record is named before DVC meets it."""

import os
from pathlib import Path

import pytest

from srmodels.data.photos.folder import check_folder
from srmodels.errors import DataError

NAMES = ("auto", "div2k")


def test_a_name_that_is_not_utf8_is_named(tmp_path):
    folder = tmp_path / "trip"
    folder.mkdir()
    (folder / "é.png").write_bytes(b"x")
    check_folder("data.photos", str(tmp_path), tmp_path, names=NAMES)
    with open(os.path.join(os.fsencode(folder), b"caf\xe9.png"), "wb"):  # noqa: PTH118, PTH123
        pass
    with pytest.raises(DataError, match=r"caf\\xe9\.png"):
        check_folder("data.photos", str(tmp_path), tmp_path, names=NAMES)


@pytest.mark.parametrize("written", ["../photos", "~/photos", "été [1]"])
def test_a_path_from_elsewhere_is_answered_with_the_absolute_one(tmp_path, monkeypatch, written):
    monkeypatch.setenv("HOME", str(tmp_path))
    (tmp_path / "repo" / "data").mkdir(parents=True)
    monkeypatch.chdir(tmp_path / "repo")
    folder = Path(os.path.normpath(Path(written).expanduser().absolute()))
    folder.mkdir()
    with pytest.raises(DataError) as caught:
        check_folder("data.photos", written, Path("data"), names=NAMES)
    assert f"Give its absolute path, {folder}." in str(caught.value)
    check_folder("data.photos", str(folder), Path("data"), names=NAMES)


def test_a_set_has_a_folder_and_a_missing_one_is_named_with_the_sets(tmp_path):
    (tmp_path / "div2k").mkdir()
    check_folder("data.photos", "div2k", tmp_path, names=NAMES)
    for missing in ("../nowhere", "div3k", str(tmp_path / "none")):
        with pytest.raises(DataError) as caught:
            check_folder("data.photos", missing, tmp_path, names=NAMES)
        assert str(caught.value) == (
            f"data.photos: no such folder (got {missing!r}). Give the absolute path of a folder "
            "of pictures, or one of auto, div2k."
        )
