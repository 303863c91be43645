"""Tables in Markdown, and their places in a page: between <!-- name --> and <!-- /name -->."""

import re
from collections.abc import Sequence

__all__ = ["fill_section", "table"]


def fill_section(text: str, name: str, content: str) -> str:
    """The page with `content` between the two marks of a name, instead of what stood there."""
    block = re.compile(rf"(<!-- {name} -->\n).*?(<!-- /{name} -->)", re.DOTALL)
    page, found = block.subn(lambda marks: f"{marks[1]}{content}\n{marks[2]}", text)
    assert found == 1, f"one pair of marks for {name} is right"
    return page


def table(columns: Sequence[str], rows: Sequence[Sequence[object]]) -> str:
    """A table: the first column to the left, the others to the right."""
    rules = ["---", *["---:"] * (len(columns) - 1)]
    return "\n".join(f"| {' | '.join(map(str, line))} |" for line in (columns, rules, *rows))
