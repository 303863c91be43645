"""Which experiments take part in a comparison."""

from collections.abc import Sequence
from pathlib import Path

from srmodels.comparison.compatibility import check_comparable
from srmodels.comparison.experiment import Entry, read_entry
from srmodels.comparison.sources import every_source, source_named
from srmodels.errors import ProtocolError

__all__ = ["every_entry", "named_entries"]


def named_entries(
    names: Sequence[str], *, root: Path, model: str | None = None
) -> tuple[list[Entry], list[str]]:
    """The experiments a user names, each once.

    Args:
        names: As `source_named` takes them.
        root: The project's folder.
        model: The row to compare; None is the final generator's.

    Returns:
        The experiments, and what a reader should know of the comparison.

    Raises:
        ProtocolError: One cannot be found, has no scores, or cannot be compared with the first.
    """
    first, *others = entries = [
        read_entry(source_named(name, root=root), model=model) for name in dict.fromkeys(names)
    ]
    notes = [note for other in others for note in check_comparable(first, other)]
    return entries, list(dict.fromkeys(notes))


def every_entry(root: Path, *, model: str | None = None) -> tuple[list[Entry], list[str]]:
    """All experiments of a repository that can be compared, the workspace first.

    One that cannot be compared with the first is left out, and a note says why.

    Raises:
        ProtocolError: There is none with scores.
    """
    entries: list[Entry] = []
    notes = []
    for source in every_source(root):
        try:
            entry = read_entry(source, model=model)
            notes += check_comparable(entries[0], entry) if entries else []
            entries.append(entry)
        except ProtocolError as error:
            notes.append(f"left out: {error}")
    if not entries:
        raise ProtocolError(f"no experiment can be reported; {notes[0]}")
    return entries, list(dict.fromkeys(notes))
