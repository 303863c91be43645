"""Stages and commands under the environments of cron jobs, containers and continuous integration.

No traceback, no hang, the same weights, and no file outside the repository and the home's cache.
"""

import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from tests.stages.repository import clone, edit, environment, run

pytestmark = [pytest.mark.slow, pytest.mark.timeout(3600)]

PYTHON = sys.executable
SECONDS = 900  # of a command; a few where nothing else runs
STAGES = [[PYTHON, "-m", f"stages.{stage}"] for stage in ("pretrain", "gan", "evaluate")]
UPSCALE = [PYTHON, "-m", "srmodels.cli.main", "upscale", "photo.png", "-o", "large"]
RUNS = [PYTHON, "-m", "srmodels.cli.main", "runs"]

# Variables, and what the shell does to the command ("$@").
CASES = {
    "closed stdin": ({}, '"$@" <&-'),
    "closed stdout": ({}, '"$@" >&-'),
    "closed stderr": ({}, '"$@" 2>&-'),
    "all closed": ({}, '"$@" <&- >&- 2>&-'),
    "no HOME": ({"HOME": None, "USER": None, "LOGNAME": None}, '"$@"'),
    "read-only HOME": ({"HOME": "/proc/1"}, '"$@"'),
    "umask 077": ({}, 'umask 077; "$@"'),
    "umask 000": ({}, 'umask 000; "$@"'),
    "TZ": ({"TZ": "Pacific/Kiritimati"}, '"$@"'),
    "TZ that is none": ({"TZ": "No/Where"}, '"$@"'),
    "LANG C": ({"LANG": "C", "LC_ALL": "C", "PYTHONUTF8": "0", "PYTHONCOERCECLOCALE": "0"}, '"$@"'),
    "LANG that is none": ({"LANG": "xx_YY.UTF-8", "LC_ALL": "xx_YY.UTF-8"}, '"$@"'),
    "PYTHONOPTIMIZE": ({"PYTHONOPTIMIZE": "2"}, '"$@"'),
    "PYTHONWARNINGS": ({"PYTHONWARNINGS": "error"}, '"$@"'),
    "no TERM": ({"TERM": None, "COLUMNS": "0"}, '"$@"'),
}


@pytest.fixture(scope="module")
def trained(tmp_path_factory):
    """A repository in which srcnn's smoke preset has run, with a photograph in it."""
    folder = clone(tmp_path_factory.mktemp("environment") / "repo")
    edit(folder, "model: srgan", "model: srcnn")
    run(folder, "dvc", "repro")
    photo = next((folder / "data" / "patches" / "test").glob("*.png"))
    shutil.copy(photo, folder / "photo.png")
    return folder


def outside(home: Path) -> list[Path]:
    """Files below a home folder, except in the cache that programs are meant to use."""
    return [p for p in home.rglob("*") if p.is_file() and ".cache" not in p.parts]


@pytest.mark.parametrize("case", CASES)
def test_training_and_commands_work_in_any_environment(case, trained, tmp_path) -> None:
    changed, shell = CASES[case]
    home = tmp_path / "home"
    home.mkdir()
    variables: dict[str, str | None] = {**environment(), "HOME": str(home), **changed}
    variables = {key: value for key, value in variables.items() if value is not None}
    weights = trained / "weights" / "generator.safetensors"
    before = weights.read_bytes()
    for command in (*STAGES, UPSCALE, RUNS):
        done = subprocess.run(
            ["sh", "-c", shell, "sh", *command],
            cwd=trained,
            env=variables,
            capture_output=True,
            timeout=SECONDS,
            check=False,
        )
        text = (done.stdout + done.stderr).decode(errors="replace")
        assert "Traceback" not in text, text[-3000:]
        assert done.returncode == 0, text[-3000:]
        assert "were not sent" not in text
    assert weights.read_bytes() == before
    assert not outside(home)
    assert list((trained / "large").iterdir())
