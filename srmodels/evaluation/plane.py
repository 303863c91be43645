"""The perception-distortion plane: LPIPS against PSNR-Y of every model of a test set.

Yochai Blau, Tomer Michaeli. The Perception-Distortion Tradeoff. CVPR 2018.
https://arxiv.org/abs/1711.06077
"""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from matplotlib.axes import Axes
from matplotlib.figure import Figure

from srmodels.atomic import replacing
from srmodels.evaluation.protocol import STRENGTH
from srmodels.evaluation.table import sets_of

PUBLISHED = {  # x4, PSNR-Y in dB and LPIPS (AlexNet); Ma et al., CVPR 2020, arXiv:2003.13081
    "Set5": {"SRGAN": (29.40, 0.088), "ESRGAN": (30.45, 0.075)},
    "BSD100": {"SRGAN": (25.16, 0.198), "ESRGAN": (25.32, 0.161)},
}
AXES = {"xlabel": "PSNR-Y (dB), more is closer", "ylabel": "LPIPS, less looks more alike"}


def draw_published(axes: Axes, name: str) -> None:
    """Draws the published generators of a test set, where there are any."""
    for model, (psnr, lpips) in PUBLISHED.get(name, {}).items():
        axes.scatter(psnr, lpips, marker="*", s=70, color="tab:gray")
        axes.annotate(
            f"{model}, published", (psnr, lpips), (0, -14), textcoords="offset points", ha="center"
        )


def _draw_set(axes: Axes, name: str, rows: Mapping[str, Mapping[str, float]], scale: int) -> None:
    points = {model: (row["psnr_y"], row["lpips"]) for model, row in rows.items()}
    path = [
        point
        for model, point in points.items()
        if model in ("pretrained", "generator") or model.startswith(STRENGTH)
    ]
    if len(path) > 1:
        axes.plot(*zip(*path, strict=True), color="tab:blue", alpha=0.5)
    for model, point in points.items():
        axes.scatter(*point, color="tab:gray" if model == "bicubic" else "tab:blue")
        mixed = model.startswith(STRENGTH)
        place = {"xytext": (-6, 2), "ha": "right"} if mixed else {"xytext": (6, 4)}
        axes.annotate(
            model.removeprefix(STRENGTH), point, **place, textcoords="offset points", fontsize=9
        )
    if scale == 4:  # as the published ones do
        draw_published(axes, name)
    axes.set(title=name, **AXES)
    axes.margins(x=0.25, y=0.12)
    axes.grid(visible=True, alpha=0.3)


def draw_plane(metrics: Mapping[str, Any], path: Path) -> None:
    """Writes a PNG with a plane per test set; nothing where LPIPS was not scored.

    Args:
        metrics: The content of metrics/evaluate.json.
        path: The file.
    """
    sets = {
        name: {model: row for model, row in rows.items() if "lpips" in row}
        for name, rows in sets_of(metrics).items()
    }
    sets = {name: rows for name, rows in sets.items() if rows}
    if not sets:
        return
    scale = int(metrics["protocol"]["scale"][0])
    figure = Figure(figsize=(6 * len(sets), 4.5))
    for axes, (name, rows) in zip(
        figure.subplots(1, len(sets), squeeze=False)[0], sets.items(), strict=True
    ):
        _draw_set(axes, name, rows, scale)
    figure.tight_layout()
    with replacing(path) as file:  # the same bytes on every run
        figure.savefig(file, format="png", dpi=100, metadata={"Software": None})
