"""Which experiments take part in a comparison."""

from collections.abc import Sequence
from pathlib import Path

from srmodels.comparison.compatibility import check_comparable
from srmodels.comparison.experiment import Experiment, read_experiment
from srmodels.comparison.sources import all_sources, find_source
from srmodels.errors import ProtocolError

__all__ = ["all_experiments", "named_experiments"]


def named_experiments(
    names: Sequence[str], *, root: Path, model: str | None = None
) -> tuple[list[Experiment], list[str]]:
    """The experiments a user names, each once.

    Args:
        names: As `find_source` takes them.
        root: The project's folder.
        model: The row to compare; None is the final generator's.

    Returns:
        The experiments, and what a reader should know of the comparison.

    Raises:
        ProtocolError: One cannot be found, has no scores, or cannot be compared with the first.
    """
    first, *others = entries = [
        read_experiment(find_source(name, root=root), model=model) for name in dict.fromkeys(names)
    ]
    notes = [note for other in others for note in check_comparable(first, other)]
    return entries, list(dict.fromkeys(notes))


def all_experiments(root: Path, *, model: str | None = None) -> tuple[list[Experiment], list[str]]:
    """All experiments of a repository that can be compared, the workspace first.

    One that cannot be compared with the first is left out, and a note says why.

    Raises:
        ProtocolError: There is none with scores.
    """
    entries: list[Experiment] = []
    notes = []
    for source in all_sources(root):
        try:
            entry = read_experiment(source, model=model)
            notes += check_comparable(entries[0], entry) if entries else []
            entries.append(entry)
        except ProtocolError as error:
            notes.append(f"left out: {error}")
    if not entries:
        raise ProtocolError(f"no experiment can be reported; {notes[0]}")
    return entries, list(dict.fromkeys(notes))
