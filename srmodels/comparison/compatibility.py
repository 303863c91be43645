"""Whether scores may be compared at all: one protocol, the same pictures.

What two protocols state must agree. What only one states is told, not refused: bicubic, which
every evaluation scores, shows whether the same was measured on the same pictures.
"""

from collections.abc import Sequence

import pandas as pd

from srmodels.comparison.experiment import Experiment
from srmodels.errors import ProtocolError
from srmodels.evaluation.scores import BASELINE, SAMPLES

__all__ = ["check_comparable", "shared_sets"]

_CLOSE = 1e-3  # scores agree to 4 decimals on any machine
# Fields that matter for one row only, or (None) for nothing that is compared: what a row is, and
# how the interval was made that is not read here.
_OF_ROWS = {
    "samples": SAMPLES,
    "diversity": SAMPLES,
    "interpolated": None,
    "ensemble": None,
    "interval": None,
}
_LISTED = 5


def _protocols(first: Experiment, other: Experiment) -> list[str]:
    """Refuses two values of one field; returns what else is to be said."""
    said, theirs = (each.metrics.get("protocol") or {} for each in (first, other))
    fields = {
        field
        for field in said.keys() | theirs.keys()
        if _OF_ROWS.get(field, first.row) in {first.row, other.row}
    }
    for field in sorted(fields & said.keys() & theirs.keys()):
        if said[field] != theirs[field]:
            raise ProtocolError(
                f"{other.name}: is of another protocol than {first.name}: {field} differs (found "
                f"{_words(theirs[field])}; {first.name} has {_words(said[field])}); "
                "evaluate both alike"
            )
    if not said or not theirs:
        silent = first if not said else other
        return [f"{silent.name}: no protocol stands beside these scores; nothing could be checked"]
    return [
        f"protocol: only {owner.name} states {', '.join(sorted(only))}"
        for owner, only in ((first, fields - theirs.keys()), (other, fields - said.keys()))
        if only
    ]


def _words(value: object) -> str:
    return ", ".join(map(str, value)) if isinstance(value, list) else str(value)


def _some(names: Sequence[str]) -> str:
    more = f" and {len(names) - _LISTED} more" if len(names) > _LISTED else ""
    return ", ".join(names[:_LISTED]) + more


def _pictures(first: Experiment, other: Experiment, name: str) -> list[str]:
    """Refuses pictures on which bicubic scores differently; returns those only one has."""
    mine, theirs = (each.scores(name, BASELINE) for each in (first, other))
    images = mine.index.intersection(theirs.index)
    if len(images):
        shared = [score for score in mine if score in theirs]
        apart = (mine.loc[images, shared] - theirs.loc[images, shared]).abs().stack()
    else:
        means, others = (each.means(name, BASELINE) for each in (first, other))
        apart = abs(pd.Series(means) - pd.Series(others)).dropna()
    if len(apart) and apart.max() > _CLOSE:
        where = apart.idxmax()
        found = ": ".join(map(str, where)) if isinstance(where, tuple) else f"{where}"
        presets = f"{other.preset} and {first.preset}"
        differ = "" not in (first.preset, other.preset) and first.preset != other.preset
        cause = f"; their presets differ, {presets}" if differ else ""
        raise ProtocolError(
            f"{other.name}: was scored on other pictures than {first.name}, or otherwise: in "
            f"{name}, bicubic differs (found {found} apart by {apart.max():.4g}{cause}); evaluate "
            "both alike"
        )
    notes = []
    for owner, own, foreign in ((first, mine, theirs), (other, theirs, mine)):
        only = [str(image) for image in own.index.difference(foreign.index)]
        if only and len(images):
            notes.append(f"{name}: only {owner.name} has {_some(only)}; left out")
    return notes


def shared_sets(first: Experiment, other: Experiment) -> list[str]:
    """The test sets on which both rows were scored, in the first one's order.

    Raises:
        ProtocolError: There is none.
    """
    mine, theirs = (
        [name for name in each.sets() if each.means(name, each.row)] for each in (first, other)
    )
    shared = [name for name in mine if name in theirs]
    if not shared:
        raise ProtocolError(
            f"{other.name}: shares no test set with {first.name} (found {', '.join(theirs)}; "
            f"{first.name} has {', '.join(mine)}); evaluate both on one"
        )
    return shared


def check_comparable(first: Experiment, other: Experiment) -> list[str]:
    """Checks that a comparison of two experiments means something.

    Returns:
        What a reader should know of it, a sentence each.

    Raises:
        ProtocolError: The protocols differ in a field, the test sets have nothing in common, or
            bicubic scores differently on a picture of the same name.
    """
    notes = _protocols(first, other)
    for name in shared_sets(first, other):
        notes += _pictures(first, other, name)
    return notes
