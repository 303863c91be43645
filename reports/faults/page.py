"""docs/FAULTS.md out of the faults' sentences and their files of numbers."""

import json
from collections.abc import Iterable
from pathlib import Path
from textwrap import fill

from reports import markdown
from reports.faults.case import Fault, Numbers
from reports.faults.collapse import COLLAPSE
from reports.faults.colour import COLOUR
from reports.faults.detached import DETACHED
from reports.faults.pairs import PAIRS
from reports.faults.ranges import BASELINE, PEAK
from reports.faults.validation import VALIDATION
from reports.recipes import number
from srmodels.errors import ProtocolError

__all__ = ["FAULTS", "read_numbers", "section", "with_faults"]

_WIDTH = 100
FAULTS = (BASELINE, PEAK, PAIRS, COLOUR, VALIDATION, DETACHED, COLLAPSE)


def read_numbers(fault: Fault, folder: Path) -> Numbers:
    """What the last run of a fault measured.

    Args:
        fault: Which.
        folder: Of the files NAME.json.

    Raises:
        ProtocolError: It has not been run.
    """
    path = folder / f"{fault.name}.json"
    if not path.is_file():
        raise ProtocolError(f"{path}: not found; `python -m reports.faults run {fault.name}`")
    found: Numbers = json.loads(path.read_text(encoding="utf-8"))
    return found


def section(fault: Fault, numbers: Numbers) -> str:
    """A fault's part of the page, in Markdown."""
    rows = [
        [said, *(number(numbers[way], key, digits) for key, (_, digits) in fault.columns.items())]
        for way, said in fault.ways.items()
    ]
    headings = ["way", *(heading for heading, _ in fault.columns.values())]
    parts = [
        f"## {fault.title}",
        fill(fault.text.format(**numbers), _WIDTH, break_long_words=False, break_on_hyphens=False),
        markdown.table(headings, rows),
    ]
    if fault.picture:
        parts.append(f"![{fault.picture}](faults-{fault.name}.jpg)")
    tests = "\n".join(f"- `{test}`" for test in fault.tests)
    return "\n\n".join([*parts, "What keeps it out:", tests])


def with_faults(text: str, results: Iterable[tuple[Fault, Numbers]]) -> str:
    """The page's text with every fault's part between its two marks."""
    parts = (section(fault, numbers) for fault, numbers in results)
    return markdown.fill_section(text, "faults", "\n\n".join(parts))
