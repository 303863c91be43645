"""What may stand under `evaluate` in params.yaml."""

import pytest

from srmodels.config import check
from srmodels.errors import ConfigError
from srmodels.evaluation.settings import EvaluateSettings


@pytest.mark.parametrize("name", ["test", "protocol", "versions", "perceptual", "two words", "a.b"])
def test_a_set_whose_name_would_spoil_the_metrics_is_refused(name):
    with pytest.raises(ConfigError, match=r"evaluate.*sets: must be named"):
        check({"sets": {name: "folder"}}, EvaluateSettings, "evaluate")


@pytest.mark.parametrize(
    ("key", "value", "message"),
    [
        ("tile", 16, "tile: must be 32 or more"),
        ("samples", 1, "samples: must be 2 or more, or 0 for none"),
        ("samples", -2, "samples: must be 2 or more, or 0 for none"),
        ("temperature", -0.1, r"temperature: must lie in 0\.\.10"),
        ("temperature", float("nan"), "temperature"),
        ("degraded", ("BSD100",), r"degraded: must be test or names in sets \(got 'BSD100'\)"),
        ("strengths", (0.5, 1.0), "strengths: must lie between 0 and 1"),
        ("strengths", (0.5, 0.25), "strengths: must rise"),
    ],
)
def test_a_value_out_of_range_is_refused(key, value, message):
    with pytest.raises(ConfigError, match=message):
        check({key: value}, EvaluateSettings, "evaluate")
