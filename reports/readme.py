"""Rewrites README.md's tables and picture from the files of the pipeline and the benchmarks.

`make readme` runs it after `dvc repro`.
"""

import json
from pathlib import Path

from PIL import Image

from reports.command_line import ROOT
from reports.markdown import fill_section, table
from srmodels.evaluation.table import read_metrics, short_table

RESULTS = ROOT / "benchmarks" / "results"
BENCHMARKS = ("patches", "loading", "upscale")


def with_benchmark(text: str, name: str, results: Path) -> str:
    """The README with the table of a benchmark's file."""
    content = json.loads(results.read_text(encoding="utf-8"))
    return fill_section(text, name, table(content["columns"], content["rows"]))


def with_training(text: str, results: Path) -> str:
    """The README with the training benchmark's table, and its peak and PSNR-Y below."""
    content = json.loads(results.read_text(encoding="utf-8"))
    settings = content["settings"]
    line = (
        f"The peak: {max(settings['matmul_gflops'], settings['convolution_gflops'])} GFLOP/s on "
        f"{settings['device']} ({content['machine']['cores']} cores). PSNR-Y after "
        f"{settings['steps']} equal steps: {settings['psnr_y_plain']:.3f} dB plain, "
        f"{settings['psnr_y_ours']:.3f} dB ours."
    )
    tables = table(content["columns"], content["rows"])
    return fill_section(text, "training", f"{tables}\n\n{line}")


def main() -> None:
    """Rewrites the tables and the picture."""
    readme = ROOT / "README.md"
    scores = short_table(read_metrics(ROOT / "metrics" / "evaluate.json"), markdown=True)
    text = fill_section(readme.read_text(encoding="utf-8"), "scores", scores)
    for name in BENCHMARKS:
        text = with_benchmark(text, name, RESULTS / f"{name}.json")
    text = with_training(text, RESULTS / "training.json")
    readme.write_text(text, encoding="utf-8")
    sheet = Image.open(ROOT / "samples" / "test-astronaut.png").convert("RGB")
    sheet.save(ROOT / "docs" / "quickstart.jpg", quality=90)


if __name__ == "__main__":
    main()
