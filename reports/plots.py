"""The pictures of docs/RESULTS.md."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import matplotlib as mpl
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import LogLocator, NullFormatter

Result = Mapping[str, Any]


def _save(figure: Figure, axes: Axes, path: Path) -> None:
    axes.grid(visible=True, alpha=0.3)
    axes.legend(fontsize=8, ncols=2)
    figure.tight_layout()
    figure.savefig(path, dpi=100, metadata={"Software": None})  # the same bytes on every run


def draw_curves(results: Sequence[Result], path: Path) -> None:
    """PSNR-Y of the validation images over the minutes of pretraining, a line per row."""
    figure = Figure(figsize=(9, 5))
    axes = figure.subplots()
    colours = mpl.colormaps["tab20"]
    for place, result in enumerate(results):
        curve = result["curves"]["pretrain"]
        minutes = float((result["training"]["pretrain"] or {}).get("minutes", 0))
        if not curve or not minutes:
            continue
        last = curve[-1][0]
        x, y = [step / last * minutes for step, _ in curve], [psnr for _, psnr in curve]
        axes.plot(x, y, marker=".", color=colours(place % 20), label=result["row"])
    axes.set(xscale="log", xlabel="minutes of pretraining", ylabel="validation, PSNR-Y (dB)")
    axes.xaxis.set_major_locator(LogLocator(subs=(1, 2, 5)))
    axes.xaxis.set_major_formatter("{x:g}")
    axes.xaxis.set_minor_formatter(NullFormatter())  # matplotlib labels minor ticks in a decade
    _save(figure, axes, path)


def draw_scatter(results: Sequence[Result], path: Path) -> None:
    """BSD100: sharpness against PSNR-Y of bicubic and every row, with arrows for GANs."""
    figure = Figure(figsize=(9, 5))
    axes = figure.subplots()
    points = {"bicubic": results[0]["further"]["BSD100"]["bicubic"]}
    points |= {result["row"]: result["further"]["BSD100"]["generator"] for result in results}
    colours, markers = mpl.colormaps["tab20"], "*osD^vP"
    for place, (name, scores) in enumerate(points.items()):
        colour, marker = colours(place % 20), markers[place % len(markers)]
        axes.scatter(
            scores["psnr_y"], scores["sharpness"], s=45, label=name, color=colour, marker=marker
        )
    for result in results:
        if "gan" in result["training"]:
            rows = [result["further"]["BSD100"][model] for model in ("generator", "pretrained")]
            end, start = ((row["psnr_y"], row["sharpness"]) for row in rows)
            axes.annotate("", end, start, arrowprops={"arrowstyle": "->", "alpha": 0.4})
    axes.set(xlabel="BSD100, PSNR-Y (dB): less distortion to the right", ylabel="sharpness (HR: 1)")
    _save(figure, axes, path)
