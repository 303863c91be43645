"""What the stage `evaluate` decides by itself."""

import logging
from pathlib import Path

import pytest
from ruamel.yaml import YAML

from srmodels.params import parse
from stages.evaluate import alpha_of

VALUES = YAML(typ="safe").load(Path(__file__).parents[2] / "params.yaml")


def recipe(model, **adversarial):
    values = {**VALUES, "model": model}
    section = {**VALUES["models"][model]["quickstart"]}
    if adversarial:
        section["adversarial"] = {**section["adversarial"], **adversarial}
    values["models"] = {
        **VALUES["models"],
        model: {**VALUES["models"][model], "quickstart": section},
    }
    return parse(values).recipe


@pytest.mark.parametrize("alpha", [None, 0.8])
def test_a_mixture_is_scored_where_the_gan_began_with_the_pretrained_weights(alpha, caplog):
    assert alpha_of(alpha, recipe("srgan")) == alpha
    assert not caplog.records


@pytest.mark.parametrize(("model", "changes"), [("edsr", {}), ("srgan", {"init": "scratch"})])
def test_a_mixture_of_equal_or_unrelated_weights_is_left_out_with_a_warning(model, changes, caplog):
    with caplog.at_level(logging.WARNING):
        assert alpha_of(0.8, recipe(model, **changes)) is None
    assert "evaluate.alpha: has no effect (found 0.8)" in caplog.text
