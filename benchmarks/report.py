"""Prints a benchmark's table and writes its JSON file."""

import json
import platform
from collections.abc import Mapping, Sequence
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

from srmodels.atomic import write_bytes
from srmodels.cli.machine import facts

_PACKAGES = ("numpy", "pillow", "kornia-rs")

Cell = str | float


def _machine() -> dict[str, Cell]:
    machine: dict[str, Cell] = {**facts(), "python": platform.python_version()}
    for package in _PACKAGES:
        try:
            machine[package] = version(package)
        except PackageNotFoundError:
            machine[package] = "not installed"
    return machine


def report(
    title: str,
    columns: Sequence[str],
    rows: Sequence[Sequence[Cell]],
    *,
    settings: Mapping[str, Cell],
    path: Path | None,
) -> None:
    """Prints a table and, given a path, writes it as JSON.

    Args:
        title: One line that names the measurement.
        columns: Headings.
        rows: As wide as the headings.
        settings: Settings of the benchmark; the machine is added.
        path: The JSON file that reports/readme.py reads; None writes no file.
    """
    lines = [list(columns), *([str(cell) for cell in row] for row in rows)]
    widths = [max(map(len, column)) for column in zip(*lines, strict=True)]
    print(title)
    for first, *others in lines:
        numbers = (word.rjust(width) for word, width in zip(others, widths[1:], strict=True))
        print("  ".join([first.ljust(widths[0]), *numbers]))
    if path is not None:
        values = {
            "title": title,
            "machine": _machine(),
            "settings": dict(settings),
            "columns": list(columns),
            "rows": [list(row) for row in rows],
        }
        write_bytes(path, (json.dumps(values, indent=2) + "\n").encode())
