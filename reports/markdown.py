"""Markdown tables, number cells, and sections between <!-- name --> and <!-- /name -->."""

import re
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any


def fill_section(text: str, name: str, content: str) -> str:
    """The page with `content` as the section `name`."""
    section = re.compile(rf"(<!-- {name} -->\n).*?(<!-- /{name} -->)", re.DOTALL)
    page, count = section.subn(lambda marks: f"{marks[1]}{content}\n{marks[2]}", text)
    assert count == 1, f"{count} sections {name} instead of one"
    return page


def fill_sections(page: Path, contents: Mapping[str, str]) -> None:
    """Writes sections of a page, by name."""
    text = page.read_text(encoding="utf-8")
    for name, content in contents.items():
        text = fill_section(text, name, content)
    page.write_text(text, encoding="utf-8")


def table(columns: Sequence[str], rows: Sequence[Sequence[object]]) -> str:
    """A table with its first column aligned left and the others right."""
    rules = ["---", *["---:"] * (len(columns) - 1)]
    return "\n".join(f"| {' | '.join(map(str, line))} |" for line in (columns, rules, *rows))


NOT_RECORDED = "not recorded"  # a machine


def machines(devices: Mapping[str, str | None]) -> str:
    """The machine of each row: one sentence if all rows name the same, or none does."""
    rows: dict[str, list[str]] = {}
    for row, device in devices.items():
        rows.setdefault(device or NOT_RECORDED, []).append(row)
    if len(rows) == 1:
        return f"Machine: {next(iter(rows))}."
    return "\n".join(
        f"- Machine of {', '.join(names)}: {device}." for device, names in rows.items()
    )


def number(values: Mapping[str, float], score: str, digits: int) -> str:
    """A score with so many decimals, or "-" if it is missing."""
    return f"{values[score]:.{digits}f}" if score in values else "-"


def training_cells(training: Mapping[str, Any], stages: Sequence[str]) -> list[str]:
    """Minutes and images per second of the stages that ran, joined by " + "."""
    return [
        " + ".join(number(training[stage] or {}, name, digits) for stage in stages)
        for name, digits in (("minutes", 1), ("images_per_second", 0))
    ]
