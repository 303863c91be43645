"""Rewrites what README.md shows of results: tables and the picture, from the files behind them.

`make readme` runs it after `dvc repro`; tests compare the tables with metrics/evaluate.json and
with what the benchmarks wrote into benchmarks/results.
"""

import json
import re
from pathlib import Path
from typing import Any

from PIL import Image

from srmodels.evaluation.table import read_metrics, short_table

ROOT = Path(__file__).resolve().parents[1]
RESULTS = ROOT / "benchmarks" / "results"
BENCHMARKS = ("patches", "loading")


def _filled(text: str, name: str, table: str) -> str:
    block = re.compile(rf"(<!-- {name} -->\n).*?(<!-- /{name} -->)", re.DOTALL)
    filled, found = block.subn(lambda marks: f"{marks[1]}{table}\n{marks[2]}", text)
    assert found == 1, f"README.md: one pair of marks for {name} is right"
    return filled


def with_scores(text: str, metrics: Path) -> str:
    """The README's text with the table of a metrics file between its two marks."""
    return _filled(text, "scores", short_table(read_metrics(metrics), markdown=True))


def _table(found: dict[str, Any]) -> str:
    columns = found["columns"]
    lines = [columns, ["---", *["---:"] * (len(columns) - 1)], *found["rows"]]
    return "\n".join(f"| {' | '.join(map(str, line))} |" for line in lines)


def with_benchmark(text: str, name: str, results: Path) -> str:
    """The README's text with the table of a benchmark's file between the marks of its name."""
    return _filled(text, name, _table(json.loads(results.read_text(encoding="utf-8"))))


def main() -> None:
    """Rewrites the tables and the picture."""
    readme = ROOT / "README.md"
    text = with_scores(readme.read_text(encoding="utf-8"), ROOT / "metrics" / "evaluate.json")
    for name in BENCHMARKS:
        text = with_benchmark(text, name, RESULTS / f"{name}.json")
    readme.write_text(text, encoding="utf-8")
    sheet = Image.open(ROOT / "samples" / "test-astronaut.png").convert("RGB")
    sheet.save(ROOT / "docs" / "quickstart.jpg", quality=90)


if __name__ == "__main__":
    main()
