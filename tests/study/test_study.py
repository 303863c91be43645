"""A study from a folder to its report, with real DVC."""

import re
import subprocess

import pytest

from tests.data.scenes import scene
from tests.stages.repository import clone, edit, environment, run

STUDY = ("python", "-m", "srmodels.cli.main", "study", "../photos", "srgan", "esrgan")
OPTIONS = ("--preset", "smoke", "--seeds", "2", "--device", "cpu")


@pytest.mark.long
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
