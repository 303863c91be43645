"""What a benchmark leaves behind: a table on the screen and, where asked for, a JSON file."""

import json
import os
import platform
from collections.abc import Mapping, Sequence
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

from srmodels.atomic import write_bytes

_PACKAGES = ("numpy", "pillow", "kornia-rs", "torch")

Cell = str | float


def _machine() -> dict[str, Cell]:
    found: dict[str, Cell] = {
        "cores": len(os.sched_getaffinity(0)),
        "python": platform.python_version(),
    }
    for package in _PACKAGES:
        try:
            found[package] = version(package)
        except PackageNotFoundError:
            found[package] = "not installed"
    return found


def report(
    title: str,
    columns: Sequence[str],
    rows: Sequence[Sequence[Cell]],
    *,
    settings: Mapping[str, Cell],
    path: Path | None,
) -> None:
    """Prints a table and writes it.

    Args:
        title: One line about what was measured.
        columns: Headings.
        rows: A line each, as wide as the headings.
        settings: What the figures depend on, apart from the machine.
        path: The JSON file from which reports/readme.py fills the README; None: none.
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
