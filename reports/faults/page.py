"""docs/FAULTS.md from faults.yaml and the files of numbers."""

import json
from collections.abc import Iterable
from pathlib import Path
from textwrap import fill

from ruamel.yaml import YAML

from reports import markdown
from reports.faults import collapse, content_loss, pairs, ranges, validation
from reports.faults.case import Fault, Numbers
from srmodels.errors import ProtocolError

_MEASURES = {
    "baseline": ranges.measure_baseline,
    "peak": ranges.measure_peak,
    "pairs": pairs.measure,
    "colour": content_loss.measure_colour,
    "validation": validation.measure,
    "detached": content_loss.measure_detached,
    "collapse": collapse.measure,
}
_TEXTS = YAML(typ="safe").load(Path(__file__).with_name("faults.yaml"))
FAULTS = {
    name: Fault(name=name, measure=measure, **_TEXTS[name]) for name, measure in _MEASURES.items()
}


def read_numbers(fault: Fault, folder: Path) -> Numbers:
    """The numbers of a fault's last run, from `folder`/NAME.json."""
    path = folder / f"{fault.name}.json"
    if not path.is_file():
        raise ProtocolError(f"{path}: not found. Run `python -m reports.faults run {fault.name}`.")
    numbers: Numbers = json.loads(path.read_text(encoding="utf-8"))
    return numbers


def section(fault: Fault, numbers: Numbers) -> str:
    """A fault's section of the page, in Markdown."""
    columns = fault.columns.items()
    rows = [
        [label, *(markdown.number(numbers[name], key, digits) for key, (_, digits) in columns)]
        for name, label in fault.variants.items()
    ]
    headings = ["variant", *(heading for _, (heading, _) in columns)]
    text = fault.text.format(**numbers)
    parts = [
        f"## {fault.title}",
        fill(text, width=100, break_long_words=False, break_on_hyphens=False),
        markdown.table(headings, rows),
    ]
    if fault.picture:
        parts.append(f"![{fault.picture}](faults-{fault.name}.jpg)")
    tests = "\n".join(f"- `{test}`" for test in fault.tests)
    return "\n\n".join([*parts, "Tests that catch it:", tests])


def sections(results: Iterable[tuple[Fault, Numbers]]) -> str:
    """Every fault's section."""
    return "\n\n".join(section(fault, numbers) for fault, numbers in results)
