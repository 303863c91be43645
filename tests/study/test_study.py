"""A study from a folder to its report, with real DVC; and what ends it before a training."""

import re
import subprocess

import numpy as np
import pytest
from filelock import FileLock

from srmodels.cli.main import main
from srmodels.data.photos.settings import PhotosSettings
from srmodels.errors import BusyError, DataError
from srmodels.images.writers.write import write_picture
from srmodels.study import run as study_run
from srmodels.study.photographs import check_names
from tests.data.scenes import scene
from tests.stages.repository import ROOT, clone, edit, environment, run

STUDY = ("python", "-m", "srmodels.cli.main", "study", "../photos", "srgan", "esrgan")
OPTIONS = ("--preset", "smoke", "--seeds", "2", "--device", "cpu")


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


def test_two_studies_at_once_are_refused(repository):
    (repository / ".resume").mkdir()
    with (
        FileLock(repository / ".resume" / "study.lock"),
        pytest.raises(BusyError, match="study: another study runs in this repository"),
    ):
        train(repository)


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
    monkeypatch.chdir(repository)
    monkeypatch.setenv("COLUMNS", "200")
    for number in range(count):
        write_picture(repository / "mine" / f"p{number}.png", np.zeros((8, 8, 3), np.uint8))
    before = (repository / "params.yaml").read_bytes()
    words = ["study", "mine", "srgan", "esrgan", "--device", "cpu", *options]
    monkeypatch.setattr("sys.argv", ["srmodels", *words])
    with pytest.raises(SystemExit) as ended:
        main()
    shown = f"{ended.value} {capsys.readouterr().err}"
    assert problem in shown
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


@pytest.mark.slow
@pytest.mark.timeout(1800)
def test_a_folder_becomes_a_report_and_a_second_call_trains_nothing(tmp_path) -> None:
    folder = clone(tmp_path / "repo")
    (tmp_path / "photos").mkdir()
    for seed in range(31):
        scene(seed, 160, 160).save(tmp_path / "photos" / f"{seed:02d}.png")
    edit(folder, "patch_size: 64", "patch_size: 24")
    edit(folder, "stride: 48", "stride: 24")
    run(folder, "git", "commit", "-qam", "smaller patches")
    try:
        text = run(folder, *STUDY, *OPTIONS, "--minutes", "0.02")
        again = run(folder, *STUDY, *OPTIONS, "--minutes", "0.02")
    finally:
        words = ["dvc", "queue", "stop", "--kill"]
        subprocess.run(words, cwd=folder, env=environment(), check=False, capture_output=True)
    assert "$ srmodels use ../photos" in text
    assert len(re.findall(r"^\$ dvc exp run --queue -n study-\w+-", text, re.MULTILINE)) == 4
    assert "4 of 4 trainings finished" in text
    assert "esrgan against srgan: " in text
    assert "dvc exp run" not in again
    report = (folder / "study.html").read_text()
    assert report.count("data:image/webp") > 12
    assert "8 test photographs and of the seeds (2 trainings of each recipe)" in report
    names = run(folder, "dvc", "exp", "list", "--name-only").split()
    assert len([name for name in names if name.startswith("study-")]) == 4
    assert "study-" in run(folder, "python", "-m", "srmodels.cli.main", "list")
