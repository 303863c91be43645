"""Rewrites README.md's scores and picture, and the benchmarks' tables, from the pipeline's files.

`make readme` runs it after `dvc repro`.
"""

import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from PIL import Image
from ruamel.yaml import YAML

from reports.command_line import ROOT
from reports.crops import draw_crops, enlarged_photographs, ranked_crops
from reports.markdown import NOT_RECORDED, fill_sections, table, training_cells
from reports.recipes import read_results
from srmodels.cli.machine import describe
from srmodels.evaluation.metrics.luma import Picture
from srmodels.evaluation.perceptual import open_lpips
from srmodels.evaluation.table import read_metrics, short_table

RESULTS = ROOT / "benchmarks" / "results"
BENCHMARKS = sorted(path.stem for path in RESULTS.glob("*.json"))
SPEED, UPSCALING = ROOT / "docs" / "SPEED.md", ROOT / "docs" / "UPSCALING.md"


def benchmark(name: str) -> str:
    """The table of a benchmark's file and its machine; below trainings, the peak and PSNR-Y."""
    content = json.loads((RESULTS / f"{name}.json").read_text(encoding="utf-8"))
    settings = content["settings"]
    lines = f"{table(content['columns'], content['rows'])}\n\nMachine: "
    lines += f"{describe(content['machine'])}."
    if "matmul_gflops" in settings:
        peak = max(settings["matmul_gflops"], settings["convolution_gflops"])
        lines += f" The peak: {peak} GFLOP/s on {settings['device']}."
    if "psnr_y_ours" in settings:
        lines += (
            f" PSNR-Y after {settings['steps']} equal steps: {settings['psnr_y_plain']:.3f} dB "
            f"plain, {settings['psnr_y_ours']:.3f} dB ours."
        )
    return lines


def page_of(name: str) -> Path:
    """The page that shows a benchmark's table."""
    return UPSCALING if name == "phone" else SPEED


def first_picture() -> Picture:
    """LR, bicubic, the two generators and HR of the test photograph and crop that gain most."""
    lpips = open_lpips()
    found = [
        (*ranked_crops(pictures, lpips)[0], pictures) for _, pictures in enlarged_photographs()
    ]
    _, corner, pictures = max(found, key=lambda candidate: candidate[0])
    return draw_crops(pictures, corner)


def scores(
    metrics: Mapping[str, Any], recipes: Sequence[Mapping[str, Any]], recipe: str, preset: str
) -> str:
    """What `make repro` prints of a metrics file, and the saved minutes of its recipe."""
    text = f"```text\n{short_table(metrics)}\n```"
    for result in recipes:
        if (result["recipe"], result["preset"]) == (recipe, preset):
            minutes = training_cells(result["training"], list(result["training"]))[0]
            device = result.get("device", NOT_RECORDED)
            where = "" if device == NOT_RECORDED else f" on {device}"
            return f"{text}\n\nThis recipe takes {minutes} minutes (pretraining + GAN){where}."
    return text


def main() -> None:
    """Rewrites the scores, the benchmarks' tables and the picture."""
    metrics = read_metrics(ROOT / "metrics" / "evaluate.json")
    chosen = YAML(typ="safe").load((ROOT / "params.yaml").read_text(encoding="utf-8"))
    text = scores(metrics, read_results(ROOT), chosen["model"], chosen["preset"])
    fill_sections(ROOT / "README.md", {"scores": text})
    for name in BENCHMARKS:
        fill_sections(page_of(name), {name: benchmark(name)})
    Image.fromarray(first_picture()).save(ROOT / "docs" / "quickstart.jpg", quality=92)


if __name__ == "__main__":
    main()
