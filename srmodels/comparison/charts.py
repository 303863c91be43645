"""The report's charts: matplotlib figures, and their SVG for an HTML page.

The SVG names colours by CSS variables (--s0, --soft, ...), so the page's light or dark theme
decides.
"""

import io
import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import matplotlib as mpl
from matplotlib.figure import Figure
from matplotlib.text import Text
from matplotlib.ticker import LogLocator, NullFormatter
from matplotlib.transforms import Bbox

GREY = -1  # the colour of bicubic; an experiment's colour is its position
_PALETTE = ["#1c1c1a", "#1769b0", "#c25200", "#18803a", "#7a3fb8", "#b8246f", "#0c7f86", "#6f7f00"]
_SOFT, _RULE = "#6a6a66", "#dededa"
_VARIABLES = {_SOFT: "soft", _RULE: "rule"} | {code: f"s{n}" for n, code in enumerate(_PALETTE)}
_STYLE: dict[Any, object] = {
    "axes.edgecolor": _SOFT,
    "axes.facecolor": "none",
    "axes.grid": True,
    "axes.labelcolor": _SOFT,
    "axes.spines.right": False,
    "axes.spines.top": False,
    "figure.constrained_layout.use": True,
    "figure.dpi": 72,  # a unit of the SVG is a pixel of the figure
    "figure.facecolor": "none",
    "font.size": 10,
    "grid.color": _RULE,
    "svg.fonttype": "none",
    "svg.hashsalt": "srmodels",
    "text.color": _PALETTE[0],
    "text.parse_math": False,  # a name may contain $
    "xtick.color": _SOFT,
    "ytick.color": _SOFT,
}
_LABEL_HEIGHT, _GAP = 15, 8  # units of the SVG; the gap is between a point and its label
_TITLE = "title:"  # marks the matplotlib objects that show their label as a tooltip


@dataclass(frozen=True, kw_only=True)
class Series:
    """Points (x, y) of one experiment; `colour` is its position, or GREY."""

    label: str
    colour: int
    points: Sequence[tuple[float, float]]

    @property
    def code(self) -> str:
        """The colour in the light theme, "#rrggbb"."""
        return _SOFT if self.colour == GREY else _PALETTE[self.colour % len(_PALETTE)]

    @property
    def repeated(self) -> bool:
        """Whether an earlier experiment has this colour: dashed lines, hollow points."""
        return self.colour >= len(_PALETTE)


@mpl.rc_context(_STYLE)
def line_chart(series: Sequence[Series], *, x_label: str) -> Figure:
    """A curve per series; y is logarithmic if all values are positive and span over a decade."""
    figure = Figure(figsize=(5, 3.2))
    axes = figure.subplots()
    for curve in series:
        x, y = zip(*curve.points, strict=True)
        style = "--" if curve.repeated else "-"
        axes.plot(x, y, style, color=curve.code, gid=_TITLE + curve.label)
    values = [value for curve in series for _, value in curve.points]
    if 0 < 10 * min(values) < max(values):
        axes.set_yscale("log")
        subs = (1, 2, 5) if max(values) < 100 * min(values) else (1,)
        axes.yaxis.set_major_locator(LogLocator(subs=subs))
        axes.yaxis.set_major_formatter("{x:g}")
        axes.yaxis.set_minor_formatter(NullFormatter())
    axes.set_xlabel(x_label)
    return figure


def _label_points(figure: Figure, series: Sequence[Series]) -> None:
    """Writes each label beside its point, up or down by whole lines until the place is free."""
    (axes,) = figure.axes
    spots = [axes.transData.transform(point.points[0]) for point in series]
    occupied = [Bbox.from_extents(x - _GAP, y - _GAP, x + _GAP, y + _GAP) for x, y in spots]
    for (x, y), point in zip(spots, series, strict=True):
        text = axes.annotate(
            point.label,
            point.points[0],
            (0, 0),
            va="center",
            textcoords="offset points",
            arrowprops={"arrowstyle": "-", "color": _SOFT, "linewidth": 0.5, "shrinkB": 5},
        )
        width = Text.get_window_extent(text).width  # without the line to the point
        shifts = [_LABEL_HEIGHT * line for n in range(len(series) + 1) for line in (n, -n)]
        places = [
            Bbox.from_bounds(left, y + shift - _LABEL_HEIGHT / 2, width, _LABEL_HEIGHT)
            for shift in shifts
            for left in (x + _GAP, x - _GAP - width)
        ]

        def faults(place: Bbox) -> int:
            outside = place.x0 < axes.bbox.x0 or place.x1 > figure.bbox.x1
            outside = outside or place.y0 < axes.bbox.y0 or place.y1 > axes.bbox.y1
            overlaps: int = place.count_overlaps(occupied)
            return overlaps + len(occupied) * bool(outside)

        best = min(places, key=faults)
        text.set_position((best.x0 - x, best.y0 + _LABEL_HEIGHT / 2 - y))
        occupied.append(best)


@mpl.rc_context(_STYLE)
def scatter_chart(series: Sequence[Series], *, x_label: str, y_label: str) -> Figure:
    """A labelled point per series; a label covers no other label."""
    height = max(400, (len(series) + 4) * _LABEL_HEIGHT)
    figure = Figure(figsize=(9, height / 72))
    axes = figure.subplots()
    axes.margins(0.08)
    axes.set(xlabel=x_label, ylabel=y_label)
    for point in series:
        fill = "none" if point.repeated else point.code
        axes.plot(
            *point.points[0], "o", color=point.code, markerfacecolor=fill, gid=_TITLE + point.label
        )
    figure.draw_without_rendering()  # fixes the layout that the labels are measured in
    _label_points(figure, series)
    figure.set_layout_engine("none")
    return figure


def to_svg(figure: Figure) -> str:
    """The <svg> element of a figure: escaped, without fixed size, ids of groups or addresses."""
    file = io.StringIO()
    with mpl.rc_context(_STYLE):
        nothing = dict.fromkeys(("Creator", "Date", "Format", "Type"))
        figure.savefig(file, format="svg", metadata=nothing)
    width, height = figure.bbox.size
    svg = file.getvalue().partition("<svg ")[2].partition(">")[2]
    svg = re.sub(r"<style.*?</style>", "", svg, flags=re.DOTALL)  # would style the whole page
    svg = re.sub(rf'<g id="{_TITLE}(.*?)">', r'<g class="named"><title>\1</title>', svg)
    svg = re.sub(r'<g id=".*?">', "<g>", svg)
    codes = rf"(?<=: )({'|'.join(_VARIABLES)})\b"
    svg = re.sub(codes, lambda code: f"var(--{_VARIABLES[code[0]]})", svg)
    return f'<svg viewBox="0 0 {width:g} {height:g}" role="img">{svg}'
