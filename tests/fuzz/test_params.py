"""A file of settings with any value in any place is valid, or answered by one line per problem."""

import copy
import re
import time
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from ruamel.yaml import YAML

from srmodels.errors import ConfigError
from srmodels.params import parse

pytestmark = pytest.mark.slow

VALUES = YAML(typ="safe").load(Path(__file__).parents[2] / "params.yaml")
SECONDS = 1.0
CHOICES = [(model, preset) for model, presets in VALUES["models"].items() for preset in presets]


def places(values, path=()):
    """The paths of all keys and list items, sections included."""
    items = values.items() if isinstance(values, dict) else enumerate(values)
    for key, value in items:
        yield (*path, key)
        if isinstance(value, dict | list):
            yield from places(value, (*path, key))


@pytest.fixture(scope="module", autouse=True)
def _imported() -> None:
    """All networks and objectives, whose first import takes seconds."""
    for model, preset in CHOICES:
        parse(VALUES | {"model": model, "preset": preset})


def used(model, preset):
    """The places that this choice reads, and those of another recipe."""
    return [
        place
        for place in places(VALUES)
        if place[0] not in ("models", "training")
        or place[1:3] == (model, preset)
        or place[:2] == ("training", preset)
        or len(place) == 2
    ]


leaves = (
    st.none()
    | st.booleans()
    | st.integers(-(10**30), 10**30)
    | st.floats()
    | st.text(max_size=20)
    | st.sampled_from([0, -1, 0.5, 4.0, 7.0, "", "007", "auto", 10**400, 1e308, b"x"])
    | st.dates()
)
anything = st.recursive(
    leaves,
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(st.text(max_size=8) | st.integers() | st.none(), inner, max_size=3)
    ),
    max_leaves=5,
)


@settings(max_examples=2000, deadline=None, suppress_health_check=list(HealthCheck))
@given(data=st.data())
def test_any_value_anywhere_is_valid_or_one_line_per_problem(data) -> None:
    model, preset = data.draw(st.sampled_from(CHOICES))
    place = data.draw(st.sampled_from(used(model, preset)))
    values = copy.deepcopy(VALUES) | {"model": model, "preset": preset}
    section = values
    for key in place[:-1]:
        section = section[key]
    section[place[-1]] = data.draw(anything)
    start = time.process_time()
    try:
        parse(values)
    except ConfigError as error:
        for line in str(error).splitlines():
            assert re.match(r".+: \S", line), line
            assert len(line) < 1000, line
    assert time.process_time() - start < SECONDS


@pytest.mark.parametrize(
    "text",
    [
        *("", "- 1", "seed", "&a [*a]", "x: &a {b: *a}", "model: [", "? [1, 2]\n: 3"),
        *("seed: " + "9" * 5000, "model: srgan\nmodel: srcnn", "\x00", "[" * 5000),
        "a: !!python/object:os.system x",
    ],
)
def test_any_text_is_answered_by_lines_without_a_traceback(text, tmp_path) -> None:
    from srmodels.params import load

    (tmp_path / "params.yaml").write_text(text)
    with pytest.raises(ConfigError) as caught:
        load(tmp_path / "params.yaml")
    assert all(re.match(r"\S+: \S", line) for line in str(caught.value).splitlines())
