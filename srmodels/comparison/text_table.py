"""The comparison as text: a line per set, score and experiment."""

from collections.abc import Sequence

from srmodels.comparison.compatibility import shared_sets
from srmodels.comparison.difference import FEW, Difference, differences
from srmodels.comparison.experiment import Experiment

__all__ = ["difference_table", "few_notes", "number"]

_HEADING = ("set", "images", "score", "best", "experiment", "mean", "difference", "95 % interval")
_LEFT = {0, 2, 3, 4, 8}  # columns of words


def number(value: float, *, sign: bool = False) -> str:
    """Four digits after the point for small numbers, three else: PSNR's are beyond telling."""
    digits = 3 if abs(value) >= 10 else 4
    rounded = round(value, digits) + 0.0  # no -0.0000
    return f"{rounded:{'+' if sign else ''}.{digits}f}"


def _line(name: str, entry: Experiment, found: Difference) -> list[str]:
    bounds = "-"
    if found.bounds:
        bounds = " to ".join(number(bound, sign=True) for bound in found.bounds)
    images = str(found.images or "-")
    difference = number(found.difference, sign=True)
    words = [name, images, found.score, found.aim or "-", entry.label, number(found.other)]
    return [*words, difference, bounds, found.verdict or "-"]


def difference_table(entries: Sequence[Experiment]) -> str:
    """Aligned columns; every experiment is compared with the first."""
    first, *others = entries
    lines = [[*_HEADING, f"against {first.name}"]]
    found = [
        (name, entry, each)
        for entry in others
        for name in shared_sets(first, entry)
        for each in differences(first, entry, name)
    ]
    # by set and score, the experiments below each other; sorting keeps their order
    order = list(dict.fromkeys((name, each.score) for name, _, each in found))
    for name, score in order:
        rows = [(entry, each) for at, entry, each in found if (at, each.score) == (name, score)]
        images = {each.images for _, each in rows}
        means = number(rows[0][1].first) if len(images) == 1 else "-"
        head = [name, str(rows[0][1].images or "-"), score, rows[0][1].aim or "-", first.label]
        lines.append([*head, means, "", "", ""])
        lines += [_line(name, entry, each) for entry, each in rows]
    widths = [max(map(len, column)) for column in zip(*lines, strict=True)]
    return "\n".join(
        "  ".join(
            word.ljust(width) if index in _LEFT else word.rjust(width)
            for index, (word, width) in enumerate(zip(line, widths, strict=True))
        ).rstrip()
        for line in lines
    )


def few_notes(entries: Sequence[Experiment]) -> list[str]:
    """A sentence for every set that is too small for its intervals to show much."""
    first, *others = entries
    counts = {
        (name, each.images)
        for entry in others
        for name in shared_sets(first, entry)
        for each in differences(first, entry, name)[:1]
    }
    notes = []
    for name, images in sorted(counts):
        if images == 0:
            notes.append(f"{name}: only means are known, so no interval; a table per image has one")
        elif images < FEW:
            plural = "image" if images == 1 else "images"
            notes.append(f"{name}: an interval over {images} {plural} shows little; score more")
    return notes
