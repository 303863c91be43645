"""A point per experiment, each with its name beside it."""

from collections.abc import Sequence

from srmodels.comparison.charts import Chart, Dot, Series, axes

__all__ = ["scatter"]

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
