"""The one door for configuration: strict, and every problem named with its full key."""

from dataclasses import dataclass, field
from typing import Literal

import pytest

from srmodels.config import check, one_of, problems_of, raise_problems
from srmodels.errors import ConfigError


@dataclass(frozen=True, kw_only=True)
class Inner:
    """A section inside a section."""

    rate: float = 1e-3

    def __post_init__(self):
        """Checks the range."""
        if self.rate <= 0:
            raise ValueError("rate must be above 0")


@dataclass(frozen=True, kw_only=True)
class Section:
    """A section."""

    steps: int
    name: Literal["adam", "sgd"] = "adam"
    betas: tuple[float, float] = (0.9, 0.999)
    inner: Inner = field(default_factory=Inner)
    maybe: Inner | None = None


def sentence(values):
    _, problems = problems_of(values, Section, "models.a.train")
    assert len(problems) == 1
    return problems[0]


def test_a_section_becomes_its_dataclass_with_its_defaults():
    made = check({"steps": 5, "inner": {"rate": 0.5}}, Section, "train")
    assert made == Section(steps=5, inner=Inner(rate=0.5))


def test_a_list_becomes_a_tuple():
    assert check({"steps": 5, "betas": [0.5, 0.9]}, Section, "train").betas == (0.5, 0.9)


def test_a_whole_number_may_stand_for_a_float():
    assert check({"steps": 5, "inner": {"rate": 1}}, Section, "train").inner.rate == 1.0


def test_an_optional_section_may_be_null_or_there():
    assert check({"steps": 5, "maybe": None}, Section, "train").maybe is None
    assert check({"steps": 5, "maybe": {"rate": 2.0}}, Section, "train").maybe == Inner(rate=2.0)


def test_a_misspelt_key_is_named_with_the_right_one():
    found = sentence({"steps": 5, "inner": {"rat": 1.0}})
    assert found.startswith("models.a.train.inner.rat: unknown key")
    assert "did you mean rate?" in found


def test_a_missing_key_is_named():
    assert sentence({}) == "models.a.train.steps: missing; it has no default"


@pytest.mark.parametrize("value", ["5", 5.5, True, None, [5]])
def test_a_value_of_the_wrong_kind_is_shown(value):
    found = sentence({"steps": value})
    assert found.startswith(f"models.a.train.steps: found {value!r}; ")


@pytest.mark.parametrize("value", [float("inf"), float("nan")])
def test_infinity_and_nan_are_no_numbers(value):
    assert "models.a.train.inner.rate" in sentence({"steps": 5, "inner": {"rate": value}})


def test_a_value_out_of_range_is_explained_by_its_section():
    found = sentence({"steps": 5, "inner": {"rate": -1.0}})
    assert found.startswith("models.a.train.inner")
    assert found.endswith("rate must be above 0")


def test_an_unknown_choice_lists_the_known_ones():
    found = sentence({"steps": 5, "name": "adm"})
    assert found.startswith("models.a.train.name: found 'adm'")
    assert "adam" in found
    assert "sgd" in found


def test_a_problem_in_an_optional_section_keeps_its_key():
    assert sentence({"steps": 5, "maybe": {"rate": "x"}}).startswith("models.a.train.maybe.rate:")


def test_what_is_no_section_is_refused():
    assert sentence(3).startswith("models.a.train: found 3; a section with keys")


def test_all_problems_come_at_once():
    with pytest.raises(ConfigError) as error:
        check({"stps": 5, "name": 1, "betas": [1]}, Section, "train")
    lines = str(error.value).splitlines()
    assert len(lines) == 4
    assert all(line.startswith("train.") for line in lines)


def test_no_problem_raises_nothing():
    raise_problems([])


def test_a_name_far_from_all_has_no_guess():
    found = one_of("model", "zzz", ["srcnn", "srgan"])
    assert found == "model: unknown name (found 'zzz'); one of srcnn, srgan"


def test_a_name_near_one_has_a_guess():
    assert one_of("model", "srgn", ["srcnn", "srgan"]).endswith("(did you mean srgan?)")
