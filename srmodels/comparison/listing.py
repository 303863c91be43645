"""The table of all experiments: `srmodels list`."""

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

from srmodels.comparison.experiment import OWN_SET, Experiment, cost_of
from srmodels.config import one_of
from srmodels.errors import ProtocolError
from srmodels.evaluation.table import align_columns

WIDTH = 100  # columns of a terminal
_HEADING = ("experiment", "recipe", "preset", "test set", "PSNR-Y", "LPIPS", "minutes", "date")
_LEAST = {3: 12, 0: 12, 1: 8, 2: 8}  # letters that a column keeps, the first shortened first


def _score(experiment: Experiment, name: str, score: str, digits: int) -> str:
    value = experiment.means(name, experiment.row).get(score)
    return "-" if value is None else f"{value:.{digits}f}"


def _number(cell: str) -> float:
    """For sorting: the sum of "1.2 + 3.4"; a dash is less than all."""
    return sum(map(float, cell.split(" + "))) if cell != "-" else float("-inf")


def _age(experiment: Experiment) -> float:
    """For sorting: the newest first, without a date last."""
    return -experiment.files.date.timestamp() if experiment.files.date else 0.0


_ORDERS: dict[str, Callable[[Sequence[str]], object]] = {  # keys of a line; the least comes first
    "date": lambda _line: 0,  # as they come, the newest first
    "name": lambda line: line[0],
    "recipe": lambda line: (line[1], line[2]),
    "psnr": lambda line: -_number(line[4]),
    "lpips": lambda line: abs(_number(line[5])),  # a dash last
    "minutes": lambda line: -_number(line[6]),
}


def _shortened(lines: Sequence[list[str]]) -> None:
    """Shortens long names in place until a line has at most `WIDTH` columns."""
    for column, least in _LEAST.items():
        widths = [max(map(len, cells)) for cells in zip(*lines, strict=True)]
        excess = sum(widths) + 2 * (len(widths) - 1) - WIDTH
        if excess > 0:
            most = max(least, widths[column] - excess)
            for line in lines:
                if len(line[column]) > most:
                    line[column] = f"{line[column][: most - 1]}…"


def experiment_table(
    groups: Sequence[Sequence[Experiment]],
    *,
    test_set: str = OWN_SET,
    sort: str = "date",
    minutes: Mapping[str, float],
    root: Path,
) -> str:
    """A line per experiment, at most 100 columns wide; groups that differ in images are apart.

    Args:
        groups: Comparable experiments each.
        test_set: Whose scores are shown; experiments without it are left out.
        sort: The order inside a group: date, name, recipe, psnr, lpips or minutes.
        minutes: Minutes of training by the MD5 of weights.
        root: The repository.
    """
    if sort not in _ORDERS:
        raise ProtocolError(one_of("--sort", sort, list(_ORDERS)))
    known = list(dict.fromkeys(name for group in groups for one in group for name in one.sets()))
    if test_set not in known:
        raise ProtocolError(one_of("--set", test_set, known))
    tables = []
    for group in groups:
        lines = [
            [
                *(experiment.name, experiment.recipe or "-", experiment.preset or "-"),
                *(experiment.set_label(test_set), _score(experiment, test_set, "psnr_y", 2)),
                _score(experiment, test_set, "lpips", 3),
                cost_of(experiment, root=root, minutes=minutes)["minutes"],
                experiment.date[:10],
            ]
            for experiment in sorted(group, key=_age)
            if experiment.means(test_set, experiment.row)
        ]
        if lines:
            tables.append(sorted(lines, key=_ORDERS[sort]))  # type: ignore[arg-type]
    lines = [list(_HEADING), *(line for table in tables for line in table)]
    _shortened(lines)
    rows = iter(align_columns(lines, left={0, 1, 2, 3}).split("\n"))
    heading = next(rows)
    blocks = ["\n".join(next(rows) for _ in table) for table in tables]
    return f"{heading}\n" + "\n\n".join(blocks)
