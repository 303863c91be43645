"""Where an experiment's files are: in a revision that git keeps, or on disk.

An experiment of DVC is a commit under refs/exps; git alone reads it.
"""

import re
import subprocess
from collections.abc import Callable
from dataclasses import dataclass
from difflib import get_close_matches
from pathlib import Path

from srmodels.config import one_of
from srmodels.errors import ProtocolError

__all__ = ["METRICS", "PER_IMAGE", "WORKSPACE", "Source", "all_sources", "find_source"]

WORKSPACE = "workspace"
METRICS = "metrics/evaluate.json"
PER_IMAGE = "plots/per_image.csv"
_OFFERED = 8  # names, of the hundreds there may be
_EXPERIMENT = re.compile(r"refs/exps/[0-9a-f]{2}/[0-9a-f]{38}/([^/]+)")


@dataclass(frozen=True, kw_only=True)
class Source:
    """Files of one experiment.

    Attributes:
        name: As the user calls it.
        commit: Its hash; "" for files on disk.
        read: A file by its path in the repository; None where there is no such file.
    """

    name: str
    commit: str
    read: Callable[[str], bytes | None]


def _git(root: Path, *words: str) -> bytes | None:
    """What git prints; None where it fails, also for want of a repository or of git."""
    command = ["git", *words]
    try:
        done = subprocess.run(command, cwd=root, capture_output=True, check=False)  # noqa: S603 - git reads the name of a revision, whatever it is
    except FileNotFoundError:
        return None
    return None if done.returncode else done.stdout


def _committed(name: str, commit: str, root: Path) -> Source:
    # ./ because the project may be a folder of a larger repository
    return Source(
        name=name, commit=commit, read=lambda path: _git(root, "show", f"{commit}:./{path}")
    )


def _on_disk(name: str, root: Path) -> Source:
    def read(path: str) -> bytes | None:
        file = root / path
        return file.read_bytes() if file.is_file() else None

    return Source(name=name, commit="", read=read)


def _given(path: Path) -> Source:
    """A single file, with its neighbours where it lies as the pipeline leaves it."""
    own = PER_IMAGE if path.suffix == ".csv" else METRICS
    if path.parts[-2:] == Path(own).parts:
        return _on_disk(str(path), path.parents[1])
    if not path.is_file():
        raise ProtocolError(
            f"{path}: no such file; a metrics file (.json) or a table per image (.csv) is right"
        )
    return Source(
        name=str(path), commit="", read=lambda wanted: path.read_bytes() if wanted == own else None
    )


def _experiments(root: Path) -> dict[str, list[str]]:
    """The commits of each name, the newest name first; one per baseline it was run on."""
    words = ("for-each-ref", "--sort=-creatordate", "--format=%(objectname) %(refname)")
    found: dict[str, list[str]] = {}
    for line in (_git(root, *words, "refs/exps/") or b"").decode().splitlines():
        commit, ref = line.split(" ", 1)
        if match := _EXPERIMENT.fullmatch(ref):
            found.setdefault(match[1], []).append(commit)
    return found


def find_source(name: str, *, root: Path) -> Source:
    """Finds what a name means.

    Args:
        name: "workspace", an experiment's name, a revision of git, or a file ending in .json or
            .csv; the first of these that exists.
        root: The project's folder.

    Raises:
        ProtocolError: Nothing is called so, or several experiments are.
    """
    if name == WORKSPACE:
        return _on_disk(name, root)
    named = _experiments(root)
    commits = named.get(name, [])
    if len(commits) > 1:
        hashes = ", ".join(commit[:10] for commit in commits)
        raise ProtocolError(f"{name}: names {len(commits)} experiments; one of {hashes} is right")
    words = ("rev-parse", "--verify", "--quiet", "--end-of-options", f"{name}^{{commit}}")
    found = commits[0] if commits else (_git(root, *words) or b"").decode().strip()
    if found:
        return _committed(name, found, root)
    if Path(name).suffix in (".json", ".csv"):
        return _given(Path(name))
    branches = _git(root, "for-each-ref", "--format=%(refname:short)", "refs/heads", "refs/tags")
    known = [WORKSPACE, *named, *(branches or b"").decode().split()]
    if len(known) <= _OFFERED:
        raise ProtocolError(one_of("EXPERIMENT", name, known))
    nearest = ", ".join(get_close_matches(name, known, _OFFERED, 0))
    raise ProtocolError(
        f"EXPERIMENT: unknown name (found {name!r}); of {len(known)} the nearest are {nearest}"
    )


def all_sources(root: Path) -> list[Source]:
    """The workspace and every experiment of the repository, the newest first.

    An experiment whose name is taken by another is called by its hash.
    """
    return [
        _on_disk(WORKSPACE, root),
        *(
            _committed(name if len(commits) == 1 else commit[:10], commit, root)
            for name, commits in _experiments(root).items()
            for commit in commits
        ),
    ]
