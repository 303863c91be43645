"""The stage `patches`, as a process of its own."""

import json
import subprocess
import sys
from pathlib import Path

import pytest

from srmodels.data.photos.collect import collect
from srmodels.data.photos.settings import PhotosSettings
from srmodels.data.photos.table import Photo, write_photos
from srmodels.data.store.reader import PatchStore
from srmodels.images.readers.folder import whole_images

ROOT = Path(__file__).parents[2]
pytestmark = pytest.mark.slow


@pytest.fixture
def repository(tmp_path):
    (tmp_path / "data").mkdir()
    (tmp_path / "data/auto").symlink_to(ROOT / "data/auto")
    (tmp_path / "params.yaml").write_bytes((ROOT / "params.yaml").read_bytes())
    return tmp_path


def run(repository):
    command = [sys.executable, "-m", "stages.patches"]
    return subprocess.run(command, cwd=repository, capture_output=True, text=True, check=False)


def test_the_stage_makes_a_store_and_counts(repository):
    collect(PhotosSettings(), preset="smoke", data=repository / "data", scale=4)
    done = run(repository)
    assert done.returncode == 0, done.stderr
    folder = repository / "data/patches"
    values = json.loads((repository / "metrics/patches.json").read_text())
    assert values["patches"]["train"] == len(PatchStore(folder / "train"))
    assert [name for name, _ in whole_images(folder / "test")] == ["chelsea"]
    assert not (folder / ".work").exists()


def test_bad_photographs_end_it_with_one_line_and_exit_code_1(repository):
    bad = repository / "bad.png"
    bad.write_text("Dear diary")
    (repository / "data/photos").mkdir()
    write_photos([Photo("bad.png", "train", str(bad), 10, "")], repository / "data/photos")
    done = run(repository)
    assert done.returncode == 1
    assert "Traceback" not in done.stderr + done.stdout
    assert "bad.png is a text file, not a picture" in done.stderr
