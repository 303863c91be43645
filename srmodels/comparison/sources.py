"""Finds an experiment's files: on disk, by git (a DVC experiment is a commit), in DVC's cache."""

import re
import subprocess
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from difflib import get_close_matches
from pathlib import Path

from srmodels.comparison.run_cache import cached_runs, modified
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
    date: datetime | None = None  # when it was finished, with a time zone; None if unknown

    def text(self, path: str) -> str:
        """A text file's content; "" if it is missing."""
        return (self.read(path) or b"").decode("utf-8", "replace")

    def scores(self) -> bytes:
        """The content of both files of scores, which tells results apart."""
        return (self.read(METRICS) or b"") + (self.read(PER_IMAGE) or b"")


def _git(root: Path, *words: str) -> bytes | None:
    """Git's output; None if it fails, is not installed, or `root` is no repository."""
    try:
        done = subprocess.run(["git", *words], cwd=root, capture_output=True, check=False)  # noqa: S603, S607 - git reads the name of a revision, whatever it is
    except FileNotFoundError:
        return None
    return None if done.returncode else done.stdout


def find_commit(revision: str, root: Path) -> str:
    """The hash of a git revision; "" if there is none."""
    words = ("rev-parse", "--verify", "--quiet", "--end-of-options", f"{revision}^{{commit}}")
    return (_git(root, *words) or b"").decode().strip()


def _committed(name: str, commit: str, root: Path) -> ExperimentFiles:
    date = (_git(root, "show", "-s", "--format=%cI", commit) or b"").decode().strip()
    # ./ because the project may be a folder of a larger repository
    return ExperimentFiles(
        name=name,
        commit=commit,
        read=lambda path: _git(root, "show", f"{commit}:./{path}"),
        date=datetime.fromisoformat(date) if date else None,
    )


def _on_disk(name: str, root: Path) -> ExperimentFiles:
    def read(path: str) -> bytes | None:
        file = root / path
        return file.read_bytes() if file.is_file() else None

    metrics = root / METRICS
    date = modified(metrics) if metrics.is_file() else None
    return ExperimentFiles(name=name, commit="", read=read, date=date)


def _cached(root: Path) -> list[ExperimentFiles]:
    """Results in DVC's cache of runs, newest first."""
    return [
        ExperimentFiles(name=run.name, commit="", read=run.read, date=run.date)
        for run in cached_runs(root)
    ]


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


def experiment_names(root: Path) -> list[str]:
    """The names of all finished DVC experiments, newest first."""
    return list(_experiments(root))


def find_source(name: str, *, root: Path) -> ExperimentFiles:
    """Finds the files that a name means: of the first of these that exists.

    "workspace", an experiment, a git revision, a .json or .csv file, or a result in DVC's cache, as
    `all_sources` names it. A ProtocolError if the name is unknown, or if several experiments have
    it.
    """
    if name == WORKSPACE:
        return _on_disk(name, root)
    experiments = _experiments(root)
    commits = experiments.get(name, [])
    if len(commits) > 1:
        hashes = ", ".join(commit[:10] for commit in commits)
        raise ProtocolError(f"{name}: {len(commits)} experiments have this name. Use {hashes}.")
    commit = commits[0] if commits else find_commit(name, root)
    if commit:
        return _committed(name, commit, root)
    if Path(name).suffix in (".json", ".csv"):
        return _single_file(Path(name))
    for files in _cached(root):
        if files.name == name:
            return files
    branches = _git(root, "for-each-ref", "--format=%(refname:short)", "refs/heads", "refs/tags")
    known = [WORKSPACE, *experiments, *(branches or b"").decode().split()]
    if len(known) <= _MAX_NAMES:
        raise ProtocolError(one_of("EXPERIMENT", name, known))
    nearest = ", ".join(get_close_matches(name, known, _MAX_NAMES, 0))
    raise ProtocolError(
        f"EXPERIMENT: unknown name (got {name!r}). The nearest of {len(known)} names are {nearest}."
    )


def all_sources(root: Path) -> list[ExperimentFiles]:
    """All results of a repository: the workspace, the last commit, experiments, DVC's cache.

    Each occurs once. Experiments come newest first; names that occur twice become hashes. The
    workspace and the last commit have the name of the experiment with the same scores, if there is
    one.
    """
    experiments = [
        _committed(name if len(commits) == 1 else commit[:10], commit, root)
        for name, commits in _experiments(root).items()
        for commit in commits
    ]
    named = {files.scores(): files for files in reversed(experiments)}
    workspace = _on_disk(WORKSPACE, root)
    first = [named.get(workspace.scores(), workspace)]
    branch = (_git(root, "rev-parse", "--abbrev-ref", "HEAD") or b"").decode().strip()
    if branch:
        first.append(_committed(branch, find_commit("HEAD", root), root))
    shown = {files.scores() for files in (first[0], *experiments)}
    first = [first[0], *(files for files in first[1:] if files.scores() not in shown)]
    shown |= {files.scores() for files in first} | {b""}
    others = [files for files in experiments if files is not first[0]]
    cached = {files.scores(): files for files in reversed(_cached(root))}
    kept = [files for scores, files in cached.items() if scores not in shown]
    return [*first, *others, *reversed(kept)]
