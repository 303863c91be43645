"""Rewrites README.md's tables and picture from the files of the pipeline and the benchmarks."""

import json

from PIL import Image

from reports.command_line import ROOT
from reports.markdown import fill_sections, table
from srmodels.evaluation.table import read_metrics, short_table

RESULTS = ROOT / "benchmarks" / "results"
BENCHMARKS = ("patches", "loading", "upscale", "training")


def benchmark(name: str) -> str:
    """The table of a benchmark's file; below the training's, its peak and PSNR-Y."""
    content = json.loads((RESULTS / f"{name}.json").read_text(encoding="utf-8"))
    lines = table(content["columns"], content["rows"])
    if name != "training":
        return lines
    settings = content["settings"]
    return (
        f"{lines}\n\n"
        f"The peak: {max(settings['matmul_gflops'], settings['convolution_gflops'])} GFLOP/s on "
        f"{settings['device']} ({content['machine']['cores']} cores). PSNR-Y after "
        f"{settings['steps']} equal steps: {settings['psnr_y_plain']:.3f} dB plain, "
        f"{settings['psnr_y_ours']:.3f} dB ours."
    )


def main() -> None:
    """Rewrites the tables and the picture."""
    scores = short_table(read_metrics(ROOT / "metrics" / "evaluate.json"), markdown=True)
    tables = {name: benchmark(name) for name in BENCHMARKS}
    fill_sections(ROOT / "README.md", {"scores": scores, **tables})
    sheet = Image.open(ROOT / "samples" / "test-astronaut.png").convert("RGB")
    sheet.save(ROOT / "docs" / "quickstart.jpg", quality=90)


if __name__ == "__main__":
    main()
