"""What ends a study before a training, and that it changes nothing."""

import numpy as np
import pytest

from srmodels.cli.main import main
from srmodels.data.photos.settings import PhotosSettings
from srmodels.errors import DataError
from srmodels.images.writers.write import write_picture
from srmodels.study import run as study_run
from srmodels.study.photographs import check_names
from tests.stages.repository import ROOT


@pytest.fixture
def repository(tmp_path, monkeypatch):
    """Settings and a folder .dvc, with commands of DVC that do nothing."""
    (tmp_path / ".dvc").mkdir()
    (tmp_path / "params.yaml").write_bytes((ROOT / "params.yaml").read_bytes())
    monkeypatch.setattr(study_run, "dvc", lambda *words, root: "")
    return tmp_path


def train(root, **changes):
    options = {"preset": "matched", "seeds": 3, "minutes": None, "jobs": 2} | changes
    return study_run.train(["srgan", "esrgan"], root=root, **options)


def photographs(root, test):
    rows = [f"{k},{'test' if k < test else 'train'},/{k}.png,1,{k},,\n" for k in range(20)]
    (root / "data" / "photos").mkdir(parents=True)
    header = "photo,split,path,bytes,sha256,lr,lr_sha256\n"
    (root / "data" / "photos" / "photos.csv").write_text(header + "".join(rows))


def call_study(repository, monkeypatch, *options):
    """Runs `srmodels study mine srgan esrgan` in-process; the exit code or the error's line."""
    monkeypatch.chdir(repository)
    monkeypatch.setenv("COLUMNS", "200")
    words = ["study", "mine", "srgan", "esrgan", "--device", "cpu", *options]
    monkeypatch.setattr("sys.argv", ["srmodels", *words])
    with pytest.raises(SystemExit) as ended:
        main()
    return ended.value.code


def pictures(folder, count):
    for number in range(count):
        write_picture(folder / f"p{number}.png", np.zeros((8, 8, 3), np.uint8))


def test_a_study_beside_another_one_changes_nothing(repository, monkeypatch):
    pictures(repository / "mine", 31)
    before = (repository / "params.yaml").read_bytes()
    with study_run.alone(repository):
        line = call_study(repository, monkeypatch)
    assert line.startswith("error: study: another study runs in this repository (got the lock")
    assert (repository / "params.yaml").read_bytes() == before
    with study_run.alone(repository):  # free again
        pass


def test_too_few_test_photographs_end_it_before_a_training(repository):
    photographs(repository, test=2)
    with pytest.raises(DataError, match=r"study: too few test photographs \(got 2 of 20"):
        train(repository)


@pytest.mark.parametrize(
    ("count", "options", "problem"),
    [
        (31, ["--seeds", "0"], "Invalid value for '--seeds'"),
        (31, ["--preset", "fast"], "--preset: unknown name (got 'fast')"),
        (31, ["--output", "."], "--output: is a folder (got '.')"),
        (
            2,
            [],
            "study: too few test photographs (got 1 of 2 photographs; near duplicates count once). "
            "Give 30 photographs or more, or move 3 or more into its sub-folder test.",
        ),
        (29, [], "Give 30 photographs or more, or set data.test=0.2."),
    ],
)
def test_a_wrong_option_or_too_few_photographs_change_nothing(
    repository, monkeypatch, capsys, count, options, problem
):
    pictures(repository / "mine", count)
    before = (repository / "params.yaml").read_bytes()
    line = call_study(repository, monkeypatch, *options)
    assert problem in f"{line} {capsys.readouterr().err}"
    assert (repository / "params.yaml").read_bytes() == before


def test_photographs_in_a_folder_test_are_enough():
    names = [f"test/{k}.png" for k in range(3)] + [f"{k}.png" for k in range(5)]
    check_names(names, PhotosSettings(photos="/mine"))
    with pytest.raises(DataError, match="too few test photographs"):
        check_names(names[2:], PhotosSettings(photos="/mine"))


def test_too_little_space_ends_it_before_a_training(repository, monkeypatch):
    photographs(repository, test=8)
    (repository / "data" / "patches").mkdir()
    with (repository / "data" / "patches" / "hr.npy").open("wb") as file:
        file.truncate(2_000_000_000)  # takes no space itself
    usage = study_run.shutil.disk_usage("/")._replace(free=3_000_000_000)
    monkeypatch.setattr(study_run.shutil, "disk_usage", lambda path: usage)
    with pytest.raises(DataError, match=r"3.0 GB free of 4.3 GB\). Free space, or use --jobs 1"):
        train(repository)
