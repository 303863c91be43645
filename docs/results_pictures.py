"""The pictures of docs/RESULTS.md: learning curves, and distortion against sharpness."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import matplotlib as mpl
from matplotlib.figure import Figure
from matplotlib.ticker import LogLocator, NullFormatter

__all__ = ["draw_curves", "draw_scatter"]

Result = Mapping[str, Any]


def _minutes(result: Result, stage: str) -> float:
    times = result["training"][stage] or {}
    return float(times.get("minutes", 0))


def _save(figure: Figure, path: Path) -> None:
    figure.tight_layout()
    figure.savefig(path, dpi=100, metadata={"Software": None})  # the same bytes on every run


def draw_curves(results: Sequence[Result], path: Path) -> None:
    """PSNR-Y of the validation photographs over the minutes of pretraining, a line per row."""
    figure = Figure(figsize=(9, 5))
    axes = figure.subplots()
    colours = mpl.colormaps["tab20"]
    for place, result in enumerate(results):
        curve, minutes = result["curves"]["pretrain"], _minutes(result, "pretrain")
        if not curve or not minutes:
            continue
        last = curve[-1][0]
        x, y = [step / last * minutes for step, _ in curve], [psnr for _, psnr in curve]
        axes.plot(x, y, marker=".", color=colours(place % 20), label=result["row"])
    axes.set(xscale="log", xlabel="minutes of pretraining", ylabel="validation, PSNR-Y (dB)")
    axes.xaxis.set_major_locator(LogLocator(subs=(1, 2, 5)))
    axes.xaxis.set_major_formatter("{x:g}")
    axes.xaxis.set_minor_formatter(NullFormatter())  # within a decade matplotlib labels these, too
    axes.grid(visible=True, alpha=0.3)
    axes.legend(fontsize=8, ncols=2)
    _save(figure, path)


def draw_scatter(results: Sequence[Result], path: Path) -> None:
    """BSD100: sharpness against PSNR-Y of bicubic and of every row, GANs with an arrow."""
    figure = Figure(figsize=(9, 5))
    axes = figure.subplots()
    points = {"bicubic": results[0]["further"]["BSD100"]["bicubic"]}
    points |= {each["row"]: each["further"]["BSD100"]["generator"] for each in results}
    colours, kinds = mpl.colormaps["tab20"], "*osD^vP"
    for place, (name, scores) in enumerate(points.items()):
        kind = {"color": colours(place % 20), "marker": kinds[place % len(kinds)]}
        axes.scatter(scores["psnr_y"], scores["sharpness"], s=45, label=name, **kind)
    for each in results:
        if "gan" in each["training"]:
            rows = each["further"]["BSD100"]
            start, end = (
                (rows[m]["psnr_y"], rows[m]["sharpness"]) for m in ("pretrained", "generator")
            )
            axes.annotate("", end, start, arrowprops={"arrowstyle": "->", "alpha": 0.4})
    axes.set(xlabel="BSD100, PSNR-Y (dB): less distortion to the right", ylabel="sharpness (HR: 1)")
    axes.grid(visible=True, alpha=0.3)
    axes.legend(fontsize=8, ncols=2)
    _save(figure, path)
