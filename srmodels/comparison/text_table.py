"""The comparison as text: a line per test set, score and experiment."""

from collections.abc import Sequence

from srmodels.comparison.compatibility import shared_sets
from srmodels.comparison.difference import FEW, NO_DIFFERENCE, Difference, differences
from srmodels.comparison.experiment import OWN_SET, Experiment
from srmodels.comparison.lock import stage_params
from srmodels.data.photos.enough import images_needed
from srmodels.evaluation.means import FEWEST
from srmodels.evaluation.table import align_columns

_SHARE = 0.2  # of the photographs for tests that is advised
_HEADING = ("set", "images", "score", "best", "experiment", "mean", "difference", "95 % interval")


def format_score(value: float, *, sign: bool = False) -> str:
    """Three decimals from 10 on (PSNR), else four."""
    digits = 3 if abs(value) >= 10 else 4
    rounded = round(value, digits) + 0.0  # no -0.0000
    return f"{rounded:{'+' if sign else ''}.{digits}f}"


def format_bounds(bounds: tuple[float, float] | None, *, sign: bool = False) -> str:
    """An interval as "LOW to HIGH"; "" for None."""
    return " to ".join(format_score(bound, sign=sign) for bound in bounds or ())


def _compare(experiments: Sequence[Experiment]) -> list[tuple[str, Experiment, Difference]]:
    first, *others = experiments
    return [
        (name, other, difference)
        for other in others
        for name in shared_sets(first, other)
        for difference in differences(first, other, name)
    ]


def difference_table(experiments: Sequence[Experiment]) -> str:
    """Aligned columns; every experiment is compared with the first."""
    first = experiments[0]
    groups: dict[tuple[str, str], list[tuple[Experiment, Difference]]] = {}
    for name, other, difference in _compare(experiments):
        groups.setdefault((name, difference.score), []).append((other, difference))
    lines = [[*_HEADING, f"against {first.name}"]]
    for (name, score), rows in groups.items():
        found = rows[0][1]
        same = len({row.images for _, row in rows}) == 1
        mean = format_score(found.first) if same else "-"
        head = [name, str(found.images or "-"), score, found.direction or "-"]
        lines.append([*head, first.label, mean, "", "", ""])
        lines += [
            [
                *(name, str(row.images or "-"), score, row.direction or "-", other.label),
                *(format_score(row.other), format_score(row.difference, sign=True)),
                *(format_bounds(row.bounds, sign=True) or "-", row.verdict or "-"),
            ]
            for other, row in rows
        ]
    return align_columns(lines, left={0, 2, 3, 4, 8})


def _advice(first: Experiment, name: str) -> str:
    """How to have more test images next time."""
    data = stage_params(first.lock, "photos").get("data", {})
    share = data.get("test", 0.0)
    if name == OWN_SET and data.get("photos") == "auto":  # whose test photographs are a list
        return "Train on a folder of your own photographs: srmodels use FOLDER."
    if name != OWN_SET or not share:
        return "Score more images."
    if share < _SHARE:
        return f"Set data.test={_SHARE} before training."
    return "Add photographs."


def small_set_notes(experiments: Sequence[Experiment]) -> list[str]:
    """A sentence for every test set with too few images to show a difference."""
    needed: dict[tuple[str, int], list[float]] = {}
    for name, _, found in _compare(experiments):
        spreads = needed.setdefault((name, found.images), [])
        if found.score == "psnr_y" and found.spread and found.verdict == NO_DIFFERENCE:
            spreads.append(found.spread)
    notes = []
    for (name, images), spreads in sorted(needed.items()):
        advice = _advice(experiments[0], name)
        if images == 0:
            notes.append(f"{name}: only means are known, so no interval. Use a table per image.")
        elif images < FEWEST:
            notes.append(f"{name}: no interval over {images} images. {advice}")
        elif spreads and (count := images_needed(max(spreads))) > images:
            notes.append(
                f"{name}: {images} images are too few to show 0.1 dB at this spread "
                f"({max(spreads):.2f} dB); about {count} are needed. {advice}"
            )
        elif images < FEW:
            notes.append(f"{name}: an interval over {images} images shows little. {advice}")
    return notes
