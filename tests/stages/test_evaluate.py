"""What the stage `evaluate` decides by itself."""

import json
import re
from pathlib import Path

import pytest
from ruamel.yaml import YAML

from srmodels.params import parse
from stages.evaluate import strengths_of
from stages.tracking import log_evaluation

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


def test_mixtures_are_scored_where_the_gan_began_with_the_pretrained_weights():
    assert strengths_of((0.2, 0.8), recipe("srgan")) == (0.2, 0.8)


@pytest.mark.parametrize(("model", "changes"), [("edsr", {}), ("srgan", {"init": "scratch"})])
def test_mixtures_of_equal_or_unrelated_weights_are_left_out(model, changes):
    assert strengths_of((0.2, 0.8), recipe(model, **changes)) == ()


class Watcher:
    """Keeps what it is told; refuses what MLflow refuses."""

    def __init__(self):
        self.values = {}

    def log(self, step, values):
        assert step == 0
        assert all(re.fullmatch(r"[\w\-./ ]+", name) for name in values)
        self.values |= values

    picture = table = open_fitting = lambda self, *_: None


def test_the_scores_of_every_set_are_tracked_and_nothing_else(tmp_path):
    metrics = {
        "test": {"bicubic": {"psnr_y": 25.0}, "generator+x8": {"psnr_y": 27.0, "psnr_y_low": 26.5}},
        "other": {"bicubic": {"psnr_y": 24.0}, "samples": {"diversity": 0.5}},
        "protocol": {"scale": ["4"]},
        "versions": ["torch 2"],
        "parameters": 7,
    }
    (tmp_path / "metrics").mkdir()
    (tmp_path / "metrics" / "evaluate.json").write_text(json.dumps(metrics))
    watcher = Watcher()
    log_evaluation(watcher, tmp_path, test_set="smoke-1a2b")
    assert watcher.values == {
        "smoke-1a2b/bicubic/psnr_y": 25.0,
        "smoke-1a2b/generator-x8/psnr_y": 27.0,
        "smoke-1a2b/generator-x8/psnr_y_low": 26.5,
        "other/bicubic/psnr_y": 24.0,
        "other/samples/diversity": 0.5,
    }
