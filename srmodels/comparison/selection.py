"""Selects the experiments of a comparison."""

from collections.abc import Sequence
from pathlib import Path

from srmodels.comparison.compatibility import check_comparable
from srmodels.comparison.experiment import Experiment, read_experiment
from srmodels.comparison.sources import all_sources, find_source
from srmodels.errors import ProtocolError


def named_experiments(
    names: Sequence[str], *, root: Path, model: str | None = None
) -> tuple[list[Experiment], list[str]]:
    """The experiments that a user names, each once, if comparable with the first, and notes."""
    first, *others = experiments = [
        read_experiment(find_source(name, root=root), model=model) for name in dict.fromkeys(names)
    ]
    notes = [note for other in others for note in check_comparable(first, other)]
    return experiments, list(dict.fromkeys(notes))


def all_experiments(
    root: Path, *, model: str | None = None
) -> tuple[list[list[Experiment]], list[str]]:
    """All results of a repository in groups that are comparable, and notes: which have no scores.

    The group of the workspace comes first.
    """
    groups: list[list[Experiment]] = []
    notes = []
    for files in all_sources(root):
        try:
            experiment = read_experiment(files, model=model)
        except ProtocolError as error:
            notes.append(f"left out: {error}")
            continue
        for group in groups:
            try:
                notes += check_comparable(group[0], experiment)
            except ProtocolError:
                continue
            group.append(experiment)
            break
        else:
            groups.append([experiment])
    if not groups:
        raise ProtocolError(f"no experiment can be reported; {notes[0]}")
    return groups, list(dict.fromkeys(notes))
