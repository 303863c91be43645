"""Sections are checked strictly, and every problem is reported with its full key."""

from dataclasses import dataclass, field
from typing import Literal

import pytest

from srmodels import config
from srmodels.config import ProblemCollector, check, one_of
from srmodels.errors import ConfigError


@dataclass(frozen=True, kw_only=True)
class Inner:
    """A section inside a section."""

    rate: float = 1e-3
    low: int = 1
    high: int = 2

    def __post_init__(self):
        """Checks the ranges."""
        if self.rate <= 0:
            raise ValueError("rate must be above 0")
        if self.low > self.high:
            raise ValueError("low and high must be in order")


@dataclass(frozen=True, kw_only=True)
class Section:
    """A section."""

    steps: int
    name: Literal["adam", "sgd"] = "adam"
    betas: tuple[float, float] = (0.9, 0.999)
    inner: Inner = field(default_factory=Inner)
    maybe: Inner | None = None


def sentence(values):
    problems = ProblemCollector()
    assert problems.section(values, Section, "models.a.train") is None
    (problem,) = problems.problems
    return problem


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
    assert sentence({}).startswith("models.a.train.steps: missing. Give it a value")


@pytest.mark.parametrize("value", ["5", 5.5, True, None, [5]])
def test_a_value_of_the_wrong_kind_is_shown(value):
    found = sentence({"steps": value})
    assert found.startswith("models.a.train.steps: must be a valid integer")
    assert found.endswith(f"(got {value!r})")


@pytest.mark.parametrize("value", [float("inf"), float("nan")])
def test_infinity_and_nan_are_no_numbers(value):
    assert "models.a.train.inner.rate" in sentence({"steps": 5, "inner": {"rate": value}})


def test_a_value_out_of_range_is_named_alone():
    found = sentence({"steps": 5, "inner": {"rate": -1.0}})
    assert found == "models.a.train.inner.rate: must be above 0 (got -1.0)"


def test_a_check_of_several_keys_shows_their_values_and_no_others():
    found = sentence({"steps": 5, "inner": {"low": 3}})
    assert found == "models.a.train.inner: low and high must be in order (got low=3, high=2)"


def test_an_old_key_is_answered_with_the_new_one(monkeypatch):
    monkeypatch.setitem(config.RENAMED, "models.*.train.inner.speed", "rate")
    found = sentence({"steps": 5, "inner": {"speed": 1.0}})
    assert found == "models.a.train.inner.speed: this key is now rate. Rename it"


def test_an_unknown_choice_lists_the_known_ones():
    found = sentence({"steps": 5, "name": "adm"})
    assert found.startswith("models.a.train.name: must be ")
    assert found.endswith("(got 'adm')")
    assert "adam" in found
    assert "sgd" in found


def test_a_problem_in_an_optional_section_keeps_its_key():
    assert sentence({"steps": 5, "maybe": {"rate": "x"}}).startswith("models.a.train.maybe.rate:")


def test_what_is_no_section_is_refused():
    assert sentence(3).startswith("models.a.train: must be a section with keys (got 3)")


def test_all_problems_come_at_once():
    with pytest.raises(ConfigError) as error:
        check({"stps": 5, "name": 1, "betas": [1]}, Section, "train")
    lines = str(error.value).splitlines()
    assert len(lines) == 4
    assert all(line.startswith("train.") for line in lines)


def test_no_problem_raises_nothing():
    ProblemCollector().raise_problems()


def test_a_name_far_from_all_has_no_guess():
    found = one_of("model", "zzz", ["srcnn", "srgan"])
    assert found == "model: unknown name (got 'zzz'). Use one of srcnn, srgan"


def test_a_name_near_one_has_a_guess():
    assert one_of("model", "srgn", ["srcnn", "srgan"]).endswith("(did you mean srgan?)")
