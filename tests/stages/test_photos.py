"""The stage `photos`, on the project's own tables."""

import csv
from pathlib import Path

import imageio.v3 as imageio
import numpy as np
import pytest

from srmodels.data.datasets.bundled import read_choice
from srmodels.data.photos.collect import collect
from srmodels.data.photos.settings import PhotosSettings
from srmodels.data.photos.table import read_photos
from srmodels.errors import DataError
from srmodels.images.readers.decode import decode
from stages import photos

ROOT = Path(__file__).parents[2]
TABLES = sorted((ROOT / "data/auto").glob("*.csv"))


@pytest.fixture
def repository(tmp_path, monkeypatch):
    (tmp_path / "data").mkdir()
    (tmp_path / "data/auto").symlink_to(ROOT / "data/auto")
    (tmp_path / "params.yaml").write_bytes((ROOT / "params.yaml").read_bytes())
    monkeypatch.chdir(tmp_path)
    return tmp_path


def test_the_stage_collects_the_chosen_presets_photographs(repository):
    photos.main()
    found = {photo.photo: photo.split for photo in read_photos(Path("data/photos"))}
    rows = read_choice(ROOT / "data/auto/quickstart.csv")
    assert found == {row.photo: row.split for row in rows if row.split != "unused"}


def test_thumbnails_are_remembered_for_one_state_of_the_code(repository):
    (repository / "data/code").mkdir()
    names = []
    for code in ("{}", "{1}"):
        Path("data/code/photos.json").write_text(code)
        memory = photos.thumbnail_cache()
        memory.parent.mkdir(exist_ok=True)
        memory.write_text("")
        names.append(memory.name)
    assert [path.name for path in Path(".resume").iterdir()] == names[1:]


def test_the_stage_ends_a_wrong_folder_with_one_line(repository, capsys):
    text = Path("params.yaml").read_text().replace("photos: auto", "photos: /nowhere/at/all")
    Path("params.yaml").write_text(text)
    with pytest.raises(SystemExit, match=r"^error: data\.photos: /nowhere/at/all is no folder"):
        photos.main()


@pytest.mark.parametrize("table", TABLES, ids=lambda path: path.stem)
def test_every_bundled_photograph_is_in_its_wheel_and_opens(table, tmp_path):
    (tmp_path / "auto").symlink_to(ROOT / "data/auto")
    for photo in collect(PhotosSettings(), preset=table.stem, data=tmp_path, scale=4):
        assert decode(tmp_path / "photos" / photo.path).shape[2] == 3


@pytest.mark.parametrize("table", TABLES, ids=lambda path: path.stem)
def test_every_preset_trains_validates_and_tests_on_different_photographs(table):
    rows = read_choice(table)
    assert {row.split for row in rows} >= {"train", "validation", "test"}
    assert len({row.file for row in rows}) == len(rows)


@pytest.mark.parametrize("table", TABLES, ids=lambda path: path.stem)
def test_the_other_eye_of_a_stereo_pair_is_never_used(table):
    assert "motorcycle_right.png" not in {row.file for row in read_choice(table)}


@pytest.mark.parametrize("table", TABLES, ids=lambda path: path.stem)
def test_every_row_says_why(table):
    with table.open(newline="") as file:
        assert all(row["why"] for row in csv.DictReader(file))


def test_the_paper_preset_asks_for_its_photographs(tmp_path):
    with pytest.raises(DataError, match=r"'paper' .* -S data\.photos=/path/to/DIV2K_train_HR"):
        collect(PhotosSettings(), preset="paper", data=tmp_path, scale=4)


def test_collecting_twice_gives_the_same_bytes(tmp_path):
    (tmp_path / "auto").symlink_to(ROOT / "data/auto")
    files = []
    for _ in range(2):
        collect(PhotosSettings(), preset="smoke", data=tmp_path, scale=4)
        paths = sorted((tmp_path / "photos").iterdir())
        files.append({path.name: path.read_bytes() for path in paths})
    assert files[0] == files[1]


def test_the_wide_gamut_rocket_is_converted(tmp_path):
    (tmp_path / "auto").symlink_to(ROOT / "data/auto")
    collect(PhotosSettings(), preset="smoke", data=tmp_path, scale=4)
    stored = imageio.imread(tmp_path / "photos/rocket.jpg")
    assert np.abs(decode(tmp_path / "photos/rocket.jpg").astype(int) - stored).max() > 5
