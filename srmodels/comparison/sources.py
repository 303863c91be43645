"""Finds an experiment's files: on disk, or by git alone, as a DVC experiment is a commit."""

import re
import subprocess
from collections.abc import Callable
from dataclasses import dataclass
from difflib import get_close_matches
from pathlib import Path

from srmodels.config import one_of
from srmodels.errors import ProtocolError

WORKSPACE = "workspace"
METRICS = "metrics/evaluate.json"
PER_IMAGE = "plots/per_image.csv"
_MAX_NAMES = 8  # in an error message
_EXPERIMENT = re.compile(r"refs/exps/[0-9a-f]{2}/[0-9a-f]{38}/([^/]+)")


@dataclass(frozen=True, kw_only=True)
class ExperimentFiles:
    """Files of one experiment."""

    name: str  # the name that the user gave
    commit: str  # the hash; "" for files on disk
    # returns a file's content by its path in the repository; None if it is missing
    read: Callable[[str], bytes | None]


def _git(root: Path, *words: str) -> bytes | None:
    """Git's output; None if it fails, is not installed, or `root` is no repository."""
    try:
        done = subprocess.run(["git", *words], cwd=root, capture_output=True, check=False)  # noqa: S603, S607 - git reads the name of a revision, whatever it is
    except FileNotFoundError:
        return None
    return None if done.returncode else done.stdout


def _committed(name: str, commit: str, root: Path) -> ExperimentFiles:
    # ./ because the project may be a folder of a larger repository
    return ExperimentFiles(
        name=name, commit=commit, read=lambda path: _git(root, "show", f"{commit}:./{path}")
    )


def _on_disk(name: str, root: Path) -> ExperimentFiles:
    def read(path: str) -> bytes | None:
        file = root / path
        return file.read_bytes() if file.is_file() else None

    return ExperimentFiles(name=name, commit="", read=read)


def _single_file(path: Path) -> ExperimentFiles:
    """A metrics file or table; a file of a project brings the project's other files."""
    own = PER_IMAGE if path.suffix == ".csv" else METRICS
    if path.parts[-2:] == Path(own).parts:
        return _on_disk(str(path), path.parents[1])
    if not path.is_file():
        raise ProtocolError(
            f"{path}: no such file. Name a metrics file (.json) or a table per image (.csv)."
        )
    return ExperimentFiles(
        name=str(path), commit="", read=lambda name: path.read_bytes() if name == own else None
    )


def _experiments(root: Path) -> dict[str, list[str]]:
    """The commits of each experiment name, newest name first; one commit per baseline."""
    words = ("for-each-ref", "--sort=-creatordate", "--format=%(objectname) %(refname)")
    experiments: dict[str, list[str]] = {}
    for line in (_git(root, *words, "refs/exps/") or b"").decode().splitlines():
        commit, ref = line.split(" ", 1)
        if match := _EXPERIMENT.fullmatch(ref):
            experiments.setdefault(match[1], []).append(commit)
    return experiments


def find_source(name: str, *, root: Path) -> ExperimentFiles:
    """Finds the files that a name means: of the first of these that exists.

    "workspace", an experiment, a git revision, or a .json or .csv file. A ProtocolError if the name
    is unknown, or if several experiments have it.
    """
    if name == WORKSPACE:
        return _on_disk(name, root)
    experiments = _experiments(root)
    commits = experiments.get(name, [])
    if len(commits) > 1:
        hashes = ", ".join(commit[:10] for commit in commits)
        raise ProtocolError(f"{name}: {len(commits)} experiments have this name. Use {hashes}.")
    words = ("rev-parse", "--verify", "--quiet", "--end-of-options", f"{name}^{{commit}}")
    commit = commits[0] if commits else (_git(root, *words) or b"").decode().strip()
    if commit:
        return _committed(name, commit, root)
    if Path(name).suffix in (".json", ".csv"):
        return _single_file(Path(name))
    branches = _git(root, "for-each-ref", "--format=%(refname:short)", "refs/heads", "refs/tags")
    known = [WORKSPACE, *experiments, *(branches or b"").decode().split()]
    if len(known) <= _MAX_NAMES:
        raise ProtocolError(one_of("EXPERIMENT", name, known))
    nearest = ", ".join(get_close_matches(name, known, _MAX_NAMES, 0))
    raise ProtocolError(
        f"EXPERIMENT: unknown name (got {name!r}). The nearest of {len(known)} names are {nearest}."
    )


def all_sources(root: Path) -> list[ExperimentFiles]:
    """The workspace and every experiment, newest first; names that occur twice become hashes."""
    return [
        _on_disk(WORKSPACE, root),
        *(
            _committed(name if len(commits) == 1 else commit[:10], commit, root)
            for name, commits in _experiments(root).items()
            for commit in commits
        ),
    ]
