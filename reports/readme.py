"""Rewrites what README.md shows of results: tables and the picture, from the files behind them.

`make readme` runs it after `dvc repro`; tests compare the tables with metrics/evaluate.json and
with what the benchmarks wrote into benchmarks/results.
"""

import json
from pathlib import Path

from PIL import Image

from reports.markdown import fill_section, table
from srmodels.evaluation.table import read_metrics, short_table

ROOT = Path(__file__).resolve().parents[1]
RESULTS = ROOT / "benchmarks" / "results"
BENCHMARKS = ("patches", "loading", "upscale")


def with_scores(text: str, metrics: Path) -> str:
    """The README's text with the table of a metrics file between its two marks."""
    return fill_section(text, "scores", short_table(read_metrics(metrics), markdown=True))


def with_benchmark(text: str, name: str, results: Path) -> str:
    """The README's text with the table of a benchmark's file between the marks of its name."""
    found = json.loads(results.read_text(encoding="utf-8"))
    return fill_section(text, name, table(found["columns"], found["rows"]))


def with_training(text: str, results: Path) -> str:
    """The same for `benchmarks.training`, with a line about the peak and equal steps below."""
    found = json.loads(results.read_text(encoding="utf-8"))
    facts = found["settings"]
    line = (
        f"The peak: {max(facts['matmul_gflops'], facts['convolution_gflops'])} GFLOP/s on "
        f"{facts['device']} ({found['machine']['cores']} cores). PSNR-Y after {facts['steps']} "
        f"equal steps: {facts['psnr_y_plain']:.3f} dB plain, {facts['psnr_y_ours']:.3f} dB ours."
    )
    return fill_section(text, "training", f"{table(found['columns'], found['rows'])}\n\n{line}")


def main() -> None:
    """Rewrites the tables and the picture."""
    readme = ROOT / "README.md"
    text = with_scores(readme.read_text(encoding="utf-8"), ROOT / "metrics" / "evaluate.json")
    for name in BENCHMARKS:
        text = with_benchmark(text, name, RESULTS / f"{name}.json")
    text = with_training(text, RESULTS / "training.json")
    readme.write_text(text, encoding="utf-8")
    sheet = Image.open(ROOT / "samples" / "test-astronaut.png").convert("RGB")
    sheet.save(ROOT / "docs" / "quickstart.jpg", quality=90)


if __name__ == "__main__":
    main()
