"""Charts: everything inside, marks that are round, labels that do not cover each other."""

from itertools import pairwise

import pytest

from srmodels.comparison.charts import Axis, Series, line_chart, scatter


def test_an_axis_leads_from_its_start_to_its_end_with_a_little_room():
    axis = Axis([0.0, 10.0], 100, 210, log=False)
    assert (axis(0.0), axis(5.0), axis(10.0)) == (105, 155, 205)


def test_values_over_decades_get_an_axis_of_powers_of_ten():
    axis = Axis([1e-4, 1.0], 0, 300, log=True)
    assert [tick.text for tick in axis.ticks()] == ["0.0001", "0.001", "0.01", "0.1", "1"]
    assert axis(0.01) == 150


@pytest.mark.parametrize("values", [[-1.0, 100.0], [0.0, 100.0], [5.0, 6.0]])
def test_an_axis_stays_linear_where_a_logarithm_would_not_do(values):
    assert not Axis(values, 0, 300, log=True).log


@pytest.mark.parametrize("values", [[3.0], [0.0], [1e-9, 1e9], [-2e5, -1e5]])
def test_marks_lie_on_the_axis(values):
    for log in (False, True):
        ticks = Axis(values, 50, 250, log=log).ticks()
        assert ticks
        assert all(50 <= tick.at <= 250 for tick in ticks)


def test_curves_lie_inside_the_chart():
    rows = [(float(step), 1 / step) for step in range(1, 50)]
    chart = line_chart("loss", [Series(label="a", colour=0, points=rows)], x_label="step")
    places = [tuple(map(float, each.split(","))) for each in chart.lines[0].path.split()]
    assert all(chart.left <= x <= chart.right for x, _ in places)
    assert all(chart.top <= y <= chart.bottom for _, y in places)
    assert places[0][1] < places[-1][1]  # SVG counts downwards


def test_labels_of_points_at_one_place_stand_below_each_other():
    series = [Series(label=f"model {n}", colour=n, points=[(0.5, 28.0)]) for n in range(4)]
    heights = sorted(dot.text_y for dot in scatter("t", series, x_label="x", y_label="y").dots)
    assert min(b - a for a, b in pairwise(heights)) >= 12


def test_a_label_at_the_right_edge_is_written_to_the_left():
    series = [Series(label="a long name", colour=n, points=[(float(n), 0.0)]) for n in range(2)]
    first, last = scatter("t", series, x_label="x", y_label="y").dots
    assert (first.anchor, last.anchor) == ("start", "end")
