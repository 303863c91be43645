"""What a study trains, and with how many steps."""

import pytest

from srmodels.errors import ConfigError, ProtocolError
from srmodels.study.plan import (
    Plan,
    check_recipes,
    load_plan,
    read_settings,
    scaled_steps,
    steps_of,
)
from tests.stages.repository import ROOT

VALUES = read_settings(ROOT)


def plan(**changes):
    facts = {"key": "1a2b3c", "preset": "matched", "recipes": ("srgan", "esrgan"), "seeds": 2}
    return Plan(**{**facts, "steps": {}, **changes})


def test_the_first_seed_of_every_recipe_comes_first():
    names = [training.name for training in plan().trainings()]
    assert names == [
        "study-1a2b3c-srgan-0",
        "study-1a2b3c-esrgan-0",
        "study-1a2b3c-srgan-1",
        "study-1a2b3c-esrgan-1",
    ]


def test_scaled_steps_are_settings_of_the_recipe():
    first, *_ = plan(steps={"srgan": {"pretrain": 700}}).trainings()
    assert first.settings[:2] == ("model=srgan", "seed=0")
    assert first.settings[-1] == "++models.srgan.matched.pretrain.training.steps=700"
    assert "dvc exp run --queue -n study-1a2b3c-srgan-0 -S model=srgan" in plan().commands(2)[1]


def test_all_trainings_have_the_same_number_of_threads():
    assert all("++run.threads=1" in one.settings for one in plan(threads=1).trainings())


def test_a_plan_is_kept(tmp_path):
    steps = {"srgan": {"pretrain": 700}}
    plan(steps=steps).save(tmp_path)
    assert load_plan(tmp_path, "1a2b3c") == plan(steps=steps)
    assert load_plan(tmp_path, "ffffff") is None


def test_all_recipes_take_one_factor_and_the_mean_training_the_minutes():
    steps = {"a": {"pretrain": 1000, "adversarial": 100}, "b": {"pretrain": 1000}}
    seconds = {"a": {"pretrain": 0.1, "adversarial": 1.0}, "b": {"pretrain": 0.4}}
    scaled = scaled_steps(steps, seconds, 10)
    assert scaled == {"a": {"pretrain": 2000, "adversarial": 200}, "b": {"pretrain": 2000}}
    assert scaled_steps(steps, seconds, 0.01)["a"]["adversarial"] == 20


def test_the_steps_of_a_preset_are_those_that_its_recipes_share():
    matched = {name: steps_of(VALUES, name, "matched") for name in ("srgan", "esrgan")}
    assert matched["srgan"] == matched["esrgan"] == {"pretrain": 1500, "adversarial": 400}
    assert steps_of(VALUES, "edsr", "quickstart") == {"pretrain": 2500}


@pytest.mark.parametrize("recipes", [[], ["srgan"], ["srgan", "srgan"]])
def test_less_than_two_recipes_are_refused(recipes):
    with pytest.raises(ProtocolError, match="study: needs two recipes"):
        check_recipes(VALUES, recipes, "matched")


def test_an_unknown_recipe_or_preset_is_one_line():
    with pytest.raises(ConfigError, match="did you mean esrgan"):
        check_recipes(VALUES, ["srgan", "esrgn"], "matched")
    with pytest.raises(ConfigError, match=r"'matched'.*Recipes with it: srresnet, srgan, edsr"):
        check_recipes(VALUES, ["srgan", "srcnn"], "matched")


def test_outside_a_repository_it_is_one_line(tmp_path):
    with pytest.raises(ConfigError, match="study: no repository here"):
        read_settings(tmp_path)
