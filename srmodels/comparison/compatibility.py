"""Checks whether two experiments' scores may be compared: the same protocol, the same images.

A protocol field that only one experiment states gives a note, not an error: bicubic's scores, which
every evaluation has, show whether the images and the measurement were the same.
"""

import pandas as pd

from srmodels.comparison.experiment import Experiment
from srmodels.errors import ProtocolError, listed
from srmodels.evaluation.scores import BASELINE, SAMPLES

_TOLERANCE = 1e-3  # scores agree to 4 decimals on any machine
# Fields that matter for this row only, or for no comparison (None).
_ROW_OF_FIELD = {
    "samples": SAMPLES,
    "diversity": SAMPLES,
    "strength": None,
    "ensemble": None,
    "interval": None,
}


def _check_protocols(first: Experiment, other: Experiment) -> list[str]:
    """Returns notes on fields that only one protocol has; raises where two values differ."""
    protocols = [experiment.metrics.get("protocol") or {} for experiment in (first, other)]
    fields = {
        field
        for protocol in protocols
        for field in protocol
        if _ROW_OF_FIELD.get(field, first.row) in {first.row, other.row}
    }
    expected, actual = protocols
    for field in sorted(fields & expected.keys() & actual.keys()):
        if expected[field] != actual[field]:
            theirs, ours = (
                ", ".join(map(str, value)) if isinstance(value, list) else str(value)
                for value in (actual[field], expected[field])
            )
            raise ProtocolError(
                f"{other.name}: the protocol differs from {first.name}'s: {field} differs (got "
                f"{theirs}; {first.name} has {ours}). Evaluate both with one protocol."
            )
    if not expected or not actual:
        name = (other if expected else first).name
        return [f"{name}: the metrics file states no protocol; the protocols were not compared"]
    return [
        f"protocol: only {experiment.name} states {', '.join(sorted(only))}"
        for experiment, only in ((first, fields - actual.keys()), (other, fields - expected.keys()))
        if only
    ]


def _check_images(first: Experiment, other: Experiment, name: str) -> list[str]:
    """Returns notes on images that only one has; raises where bicubic's scores differ."""
    ours, theirs = (experiment.scores(name, BASELINE) for experiment in (first, other))
    images = ours.index.intersection(theirs.index)
    if len(images):
        columns = [score for score in ours if score in theirs]
        apart = (ours.loc[images, columns] - theirs.loc[images, columns]).abs().stack()
    else:
        means = [pd.Series(experiment.means(name, BASELINE)) for experiment in (first, other)]
        apart = abs(means[0] - means[1]).dropna()
    if len(apart) and apart.max() > _TOLERANCE:
        where = apart.idxmax()
        place = ": ".join(map(str, where)) if isinstance(where, tuple) else str(where)
        presets = [other.preset, first.preset]
        differ = all(presets) and presets[0] != presets[1]
        cause = f"; their presets differ, {' and '.join(presets)}" if differ else ""
        advice = "Train both with one preset" if differ else "Evaluate both on the same images"
        raise ProtocolError(
            f"{other.name}: the scored images or the measurement differ from {first.name}'s: in "
            f"{name}, bicubic differs (got {place} apart by {apart.max():.4g}{cause}). {advice}."
        )
    only = ((first, ours.index.difference(images)), (other, theirs.index.difference(images)))
    return [
        f"{name}: only {experiment.name} has {listed([*map(str, missing)])}; left out"
        for experiment, missing in only
        if len(images) and len(missing)
    ]


def shared_sets(first: Experiment, other: Experiment) -> list[str]:
    """The test sets that both experiments were scored on, in the first one's order."""
    ours, theirs = (
        [name for name in experiment.sets() if experiment.means(name, experiment.row)]
        for experiment in (first, other)
    )
    shared = [name for name in ours if name in theirs]
    if not shared:
        raise ProtocolError(
            f"{other.name}: shares no test set with {first.name} (got {', '.join(theirs)}; "
            f"{first.name} has {', '.join(ours)}). Evaluate both on one set."
        )
    return shared


def check_comparable(first: Experiment, other: Experiment) -> list[str]:
    """Notes on a comparison; a ProtocolError if protocols, sets or bicubic's scores differ."""
    notes = _check_protocols(first, other)
    for name in shared_sets(first, other):
        notes += _check_images(first, other, name)
    return notes
