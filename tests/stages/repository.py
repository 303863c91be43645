"""The working tree as a repository of its own, in the smoke preset, with real DVC."""

import os
import shutil
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path

from ruamel.yaml import YAML

from tests.stages.fork_server import commands

ROOT = Path(__file__).parents[2]
PERCEPTUAL = ("perceptual: true # LPIPS", "perceptual: false # LPIPS")  # on, off


def environment(*, forks: bool = True) -> dict[str, str]:
    """This Python first on the path; nothing of an outer DVC, MLflow or pytest.

    `forks` of False starts Python anew, for a test that kills what it starts.
    """
    clean = {
        k: v for k, v in os.environ.items() if not k.startswith(("DVC_", "MLFLOW_", "PYTEST_"))
    }
    server = commands() if forks else None
    folders = [folder for folder in (server, Path(sys.executable).parent) if folder]
    return clean | {
        "PATH": os.pathsep.join([*map(str, folders), os.environ["PATH"]]),
        "DVC_NO_ANALYTICS": "1",
        "GIT_AUTHOR_NAME": "t",
        "GIT_AUTHOR_EMAIL": "t@example.org",
        "GIT_COMMITTER_NAME": "t",
        "GIT_COMMITTER_EMAIL": "t@example.org",
    }


def run(
    folder: Path, *command: str, ok: bool = True, variables: Mapping[str, str] | None = None
) -> str:
    done = subprocess.run(
        command,
        cwd=folder,
        env=environment() | dict(variables or {}),
        capture_output=True,
        text=True,
        check=False,
    )
    text = done.stdout + done.stderr
    assert (done.returncode == 0) == ok, text[-4000:]
    return text


def edit(folder: Path, old: str, new: str) -> None:
    params = folder / "params.yaml"
    text = params.read_text()
    assert old in text
    params.write_text(text.replace(old, new, 1))


def clone(target: Path) -> Path:
    """The working tree as git would hold it, in a repository of its own, in the smoke preset."""
    target.mkdir()
    listed = run(ROOT, "git", "ls-files", "-co", "--exclude-standard").splitlines()
    for name in listed:  # without results: git would bring them back under a test's feet
        if (ROOT / name).is_file() and not name.startswith(("metrics/", "plots/", "dvc.lock")):
            (target / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copy2(ROOT / name, target / name)
    # what Python and numba have compiled is good for copies, too; what is being written is not
    unfinished = shutil.ignore_patterns("*.pyc.*", "*.tmp.*")
    for room in ("srmodels", "stages"):
        for compiled in (ROOT / room).rglob("__pycache__"):
            shutil.copytree(compiled, target / compiled.relative_to(ROOT), ignore=unfinished)
    edit(target, "preset: quickstart", "preset: smoke")
    edit(target, *PERCEPTUAL)  # ten seconds of each evaluation
    run(target, "git", "init", "-q")
    run(target, "git", "add", "-A")
    run(target, "git", "commit", "-qm", "start")
    return target


def copy_of(repository: Path, target: Path) -> Path:
    """A copy of a finished repository with its DVC cache, without MLflow's store of that place."""
    leave = shutil.ignore_patterns("mlflow.db*", "mlartifacts")
    return shutil.copytree(repository, target, symlinks=True, ignore=leave)


def forget(folder: Path, stage: str) -> None:
    """Takes a stage out of dvc.lock and all from DVC's cache of runs, so that it must run again."""
    shutil.rmtree(folder / ".dvc/cache/runs")
    lock, yaml = folder / "dvc.lock", YAML()
    values = yaml.load(lock)
    del values["stages"][stage]
    yaml.dump(values, lock)
