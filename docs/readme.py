"""Rewrites what README.md shows of results: the table and the picture, from the pipeline's files.

`make readme` runs it after `dvc repro`; a test compares the table with metrics/evaluate.json.
"""

import re
from pathlib import Path

from PIL import Image

from srmodels.evaluation.table import read_metrics, short_table

ROOT = Path(__file__).resolve().parents[1]
BLOCK = re.compile(r"(<!-- scores -->\n).*?(<!-- /scores -->)", re.DOTALL)


def with_scores(text: str, metrics: Path) -> str:
    """The README's text with the table of a metrics file between its two marks."""
    table = short_table(read_metrics(metrics), markdown=True)
    filled, found = BLOCK.subn(lambda marks: f"{marks[1]}{table}\n{marks[2]}", text)
    assert found == 1, "README.md: one pair of marks for the scores is right"
    return filled


def main() -> None:
    """Rewrites the table and the picture."""
    readme = ROOT / "README.md"
    text = readme.read_text(encoding="utf-8")
    readme.write_text(with_scores(text, ROOT / "metrics" / "evaluate.json"), encoding="utf-8")
    sheet = Image.open(ROOT / "samples" / "test-chelsea.png").convert("RGB")
    sheet.save(ROOT / "docs" / "quickstart.jpg", quality=90)


if __name__ == "__main__":
    main()
