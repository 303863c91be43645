"""Where everything in a chart lies, in pixels; the report's template draws it as SVG.

A point per experiment, each with its name beside it.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from math import ceil, floor, log10

from matplotlib.ticker import MaxNLocator

__all__ = ["Axis", "Chart", "Dot", "Line", "Series", "Tick", "axes", "line_chart", "scatter"]

_LINES = (360, 230)  # pixels

_LEFT, _RIGHT, _TOP, _BOTTOM = 58, 12, 10, 40  # around the drawing

_DECADE = 10.0

_MANY = 2  # decades on which powers of ten are marks enough

_ROOM = 0.05  # of an axis, beyond its values


@dataclass(frozen=True, kw_only=True)
class Series:
    """Points of one experiment, in the data's units."""

    label: str
    colour: int
    points: Sequence[tuple[float, float]]


@dataclass(frozen=True, kw_only=True)
class Tick:
    """A mark on an axis, `at` pixels from the chart's left or top."""

    at: float
    text: str


@dataclass(frozen=True, kw_only=True)
class Line:
    """A curve; `path` is SVG's list of points."""

    label: str
    colour: int
    path: str


@dataclass(frozen=True, kw_only=True)
class Dot:
    """A point with its label's place."""

    label: str
    colour: int
    x: float
    y: float
    text_x: float
    text_y: float
    anchor: str


@dataclass(frozen=True, kw_only=True)
class Chart:
    """A drawing of `width` x `height` pixels; its axes are at `left` and `bottom`."""

    title: str
    x_label: str
    y_label: str
    x_ticks: list[Tick]
    y_ticks: list[Tick]
    lines: list[Line]
    dots: list[Dot]
    width: int
    height: int
    left: int = _LEFT
    top: int = _TOP

    @property
    def right(self) -> int:
        """The drawing's right edge."""
        return self.width - _RIGHT

    @property
    def bottom(self) -> int:
        """Its lower edge."""
        return self.height - _BOTTOM


class Axis:
    """From values to pixels; logarithmic where values are positive and span over a decade."""

    def __init__(self, values: Sequence[float], start: float, end: float, *, log: bool) -> None:
        self.log = log and min(values) > 0 and max(values) / min(values) > _DECADE
        low, high = (self._scaled(each) for each in (min(values), max(values)))
        room = _ROOM * (high - low or abs(high) or 1)
        self.low, self.high, self.start, self.end = low - room, high + room, start, end

    def _scaled(self, value: float) -> float:
        return log10(value) if self.log else value

    def __call__(self, value: float) -> float:
        """Its place in pixels."""
        share = (self._scaled(value) - self.low) / (self.high - self.low)
        return round(self.start + share * (self.end - self.start), 1)

    def ticks(self) -> list[Tick]:
        """Round values inside the axis."""
        low, high = self.low, self.high
        marks: Sequence[float] = MaxNLocator(5, steps=[1, 2, 5, 10]).tick_values(low, high)
        if self.log:
            powers = range(floor(low), ceil(high))
            marks = [step * 10.0**power for power in powers for step in (1, 2, 5)]
            marks = marks if high - low < _MANY else marks[::3]
        return [
            Tick(at=self(mark), text=f"{mark:.6g}")
            for mark in marks
            if low <= self._scaled(mark) <= high
        ]


def axes(series: Sequence[Series], size: tuple[int, int], *, log: bool) -> tuple[Axis, Axis]:
    """The x and the y axis that hold all points; `log` lets y be logarithmic."""
    width, height = size
    xs, ys = ([point[axis] for each in series for point in each.points] for axis in (0, 1))
    return (
        Axis(xs, _LEFT, width - _RIGHT, log=False),
        Axis(ys, height - _BOTTOM, _TOP, log=log),
    )


def line_chart(title: str, series: Sequence[Series], *, x_label: str) -> Chart:
    """Curves over each other; the y axis is logarithmic where that shows more."""
    x, y = axes(series, _LINES, log=True)
    lines = [
        Line(
            label=each.label,
            colour=each.colour,
            path=" ".join(f"{x(at):g},{y(value):g}" for at, value in each.points),
        )
        for each in series
    ]
    return Chart(
        title=title,
        x_label=x_label,
        y_label="",
        x_ticks=x.ticks(),
        y_ticks=y.ticks(),
        lines=lines,
        dots=[],
        width=_LINES[0],
        height=_LINES[1],
    )


_SIZE = (640, 400)  # pixels

_LABEL, _LETTER, _GAP = 15, 7, 8  # pixels: a label's line, a letter's width, from point to label


def _dot(each: Series, x: float, y: float, placed: Sequence[Dot]) -> Dot:
    """A point whose label, beside it, is moved down until it covers none of the earlier ones."""
    width = _LETTER * len(each.label)
    turned = x + width > _SIZE[0]
    start = x - _GAP - width if turned else x + _GAP
    text_y = y + _GAP / 2
    for other in placed:  # from the highest to the lowest
        begins = other.text_x - (_LETTER * len(other.label) if other.anchor == "end" else 0)
        beside = start > begins + _LETTER * len(other.label) or begins > start + width
        if not beside and abs(text_y - other.text_y) < _LABEL:
            text_y = other.text_y + _LABEL
    return Dot(
        label=each.label,
        colour=each.colour,
        x=x,
        y=y,
        text_x=x - _GAP if turned else x + _GAP,
        text_y=text_y,
        anchor="end" if turned else "start",
    )


def scatter(title: str, series: Sequence[Series], *, x_label: str, y_label: str) -> Chart:
    """A labelled point per series."""
    x, y = axes(series, _SIZE, log=False)
    spots = [(x(each.points[0][0]), y(each.points[0][1]), each) for each in series]
    dots: list[Dot] = []
    for left, top, each in sorted(spots, key=lambda spot: spot[1]):
        dots.append(_dot(each, left, top, dots))
    return Chart(
        title=title,
        x_label=x_label,
        y_label=y_label,
        x_ticks=x.ticks(),
        y_ticks=y.ticks(),
        lines=[],
        dots=dots,
        width=_SIZE[0],
        height=_SIZE[1],
    )
