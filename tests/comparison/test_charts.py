"""Charts: everything inside, round ticks, labels that cover nothing, plain SVG."""

from itertools import combinations
from xml.etree import ElementTree

import pytest
from matplotlib.text import Text

from srmodels.comparison.charts import GREY, Series, line_chart, scatter_chart, to_svg


def curve(*values, label="a", colour=0):
    return Series(label=label, colour=colour, points=list(enumerate(map(float, values), 1)))


def point(label, x=0.5, y=28.0, colour=0):
    return Series(label=label, colour=colour, points=[(x, y)])


def ticks(figure):
    (axes,) = figure.axes
    figure.draw_without_rendering()
    low, high = sorted(axes.get_ylim())
    return [
        label.get_text()
        for label in axes.get_yticklabels()
        if low <= label.get_position()[1] <= high
    ]


def label_boxes(series):
    figure = scatter_chart(series, x_label="x", y_label="y")
    figure.draw_without_rendering()
    return figure, [Text.get_window_extent(text) for text in figure.axes[0].texts]


def test_values_over_decades_get_an_axis_of_powers_of_ten():
    figure = line_chart([curve(1e-4, 1.0)], x_label="step")
    assert figure.axes[0].get_yscale() == "log"
    assert {"0.0001", "0.01", "1"} <= set(ticks(figure))


def test_values_of_little_more_than_a_decade_get_round_ticks_in_between():
    assert {"0.2", "0.5", "1"} <= set(ticks(line_chart([curve(0.1, 2.0)], x_label="step")))


@pytest.mark.parametrize("values", [[-1.0, 100.0], [0.0, 100.0], [5.0, 6.0]])
def test_an_axis_stays_linear_where_a_logarithm_would_not_do(values):
    assert line_chart([curve(*values)], x_label="step").axes[0].get_yscale() == "linear"


@pytest.mark.parametrize("values", [[3.0], [0.0], [1e-9, 1e9], [-2e5, -1e5]])
def test_every_axis_has_ticks(values):
    assert ticks(line_chart([curve(*values)], x_label="step"))


def test_curves_lie_inside_the_chart():
    figure = line_chart([curve(*(1 / step for step in range(1, 50)))], x_label="step")
    figure.draw_without_rendering()
    (axes,) = figure.axes
    places = axes.transData.transform(axes.lines[0].get_xydata())
    assert all(axes.bbox.contains(*place) for place in places)


@pytest.mark.parametrize("count", [4, 40])
def test_labels_of_points_at_one_place_do_not_overlap(count):
    figure, boxes = label_boxes([point(f"model {n}", colour=n) for n in range(count)])
    assert not any(first.overlaps(second) for first, second in combinations(boxes, 2))
    assert all(figure.bbox.contains(*corner) for box in boxes for corner in box.corners())


def test_a_label_at_the_right_edge_is_written_to_the_left():
    _, (first, last) = label_boxes([point("a rather long name", x=x, y=0.0) for x in (0.0, 1.0)])
    figure, _ = label_boxes([point("a", x=x, y=0.0) for x in (0.0, 1.0)])
    left, right = figure.axes[0].transData.transform([(0.0, 0.0), (1.0, 0.0)])[:, 0]
    assert first.x0 > left
    assert last.x1 < right


def test_svg_is_well_formed_takes_any_name_and_has_only_the_pages_colours():
    names = ["<b>\"&'", "$x_1$", "title:#1c1c1a", "$"]
    series = [point(name, colour=colour) for colour, name in enumerate(names, GREY)]
    svg = to_svg(scatter_chart(series, x_label="x", y_label="y"))
    root = ElementTree.fromstring(svg.replace("xlink:href", "href"))
    assert set(names) <= {text.text for text in root.iter("text")}
    assert set(names) == {title.text for title in root.iter("title")}
    assert all(f"var(--{name})" in svg for name in ("soft", "rule", "s0", "s1", "s2"))
    assert ": #" not in svg


def test_equal_charts_make_equal_svg():
    first, second = (to_svg(line_chart([curve(1.0, 2.0)], x_label="step")) for _ in range(2))
    assert first == second
