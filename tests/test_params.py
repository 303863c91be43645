import copy
from pathlib import Path

import pytest
from ruamel.yaml import YAML

from srmodels.errors import ConfigError
from srmodels.params import load, parse

FILE = Path(__file__).parents[1] / "params.yaml"
# the recipe and the preset are chosen here: an experiment leaves others in the file
VALUES = YAML(typ="safe").load(FILE) | {"model": "srgan", "preset": "quickstart"}


def changed(**top):
    return copy.deepcopy(VALUES) | top


def problem(values) -> str:
    with pytest.raises(ConfigError) as caught:
        parse(values)
    return str(caught.value)


@pytest.mark.parametrize(
    ("model", "preset"), [(m, p) for m, presets in VALUES["models"].items() for p in presets]
)
def test_every_recipe_of_the_file_is_valid(model, preset) -> None:
    assert parse(changed(model=model, preset=preset)).recipe.generator.settings.scale == 4


def test_a_misspelt_model_is_answered_with_the_names_and_the_nearest() -> None:
    text = problem(changed(model="srgann"))
    assert text.startswith("model: unknown name (got 'srgann')")
    assert "did you mean srgan?" in text


def test_a_misspelt_preset_is_answered_with_the_names() -> None:
    assert "Use one of smoke, quickstart, matched, bsds400, paper" in problem(
        changed(preset="quick")
    )


def test_a_preset_of_other_recipes_is_answered_with_these() -> None:
    values = changed(preset="finetune")
    values["models"]["edsr"]["finetune"] = values["models"]["edsr"]["quickstart"]
    assert problem(values) == (
        "preset: srgan has none of this name, but edsr has (got 'finetune'). Use one of smoke, "
        "quickstart, matched, bsds400, paper, or such a recipe"
    )
    assert "but srresnet, srgan, edsr, " in problem(changed(model="srcnn", preset="matched"))


def test_a_misspelt_key_is_named_in_full_with_what_it_could_be() -> None:
    values = changed()
    values["models"]["srgan"]["quickstart"]["pretrain"]["training"]["bath_size"] = 8
    text = problem(values)
    assert "models.srgan.quickstart.pretrain.training.bath_size: unknown key" in text
    assert "did you mean batch_size?" in text


def test_all_problems_come_at_once() -> None:
    values = changed()
    recipe = values["models"]["srgan"]["quickstart"]
    recipe["generator"]["num_blocks"] = "many"
    recipe["adversarial"]["objective"]["kind"] = "wgan"
    values["patches"]["stride"] = 0
    assert len(problem(values).splitlines()) == 3


def test_a_recipe_overrides_the_presets_training_key_by_key() -> None:
    values = changed()
    values["training"]["quickstart"]["pretrain"] = {"steps": 7, "optimizer": {"ema_decay": 0.5}}
    training = parse(values).recipe.pretrain.training
    assert (training.steps, training.optimizer.ema_decay) == (1500, 0.997)
    del values["models"]["srgan"]["quickstart"]["pretrain"]["training"]
    params = parse(values)
    training = params.recipe.pretrain.training
    assert (training.steps, training.optimizer.ema_decay) == (7, 0.5)
    assert params.values["recipe"]["pretrain"]["training"]["steps"] == 7


def test_a_problem_in_the_presets_training_is_named_there() -> None:
    values = changed()
    values["training"]["quickstart"]["adversarial"]["batch_size"] = 0
    text = problem(values)
    assert text == "training.quickstart.adversarial.batch_size: must be 1 or more (got 0)"


def test_a_range_error_names_the_key_alone() -> None:
    values = changed()
    recipe = values["models"]["srgan"]["quickstart"]
    recipe["generator"]["members"] = 0
    recipe["pretrain"]["training"]["colour_jitter"] = -1
    assert problem(values).splitlines() == [
        "models.srgan.quickstart.generator.members: must be 1 or more (got 0)",
        "models.srgan.quickstart.pretrain.training.colour_jitter: must lie in [0, 1] (got -1)",
    ]


def test_a_discriminator_of_another_patch_size_is_refused_before_training() -> None:
    values = changed(preset="paper")
    values["models"]["srgan"]["paper"]["adversarial"]["training"]["patch_size"] = 32
    assert "crops have 128 pixels: patch_size 32 LR, shift 0" in problem(values)


@pytest.mark.parametrize("phase", ["pretrain", "adversarial"])
def test_a_member_of_an_ensemble_without_a_crop_is_refused(phase) -> None:
    values = changed()
    recipe = values["models"]["srgan"]["quickstart"]
    recipe["generator"]["members"] = 3
    recipe[phase]["training"] |= {"batch_size": 4, "accumulate": 2}
    text = problem(values)
    assert f"quickstart.{phase}.training.batch_size: too few crops for 3 members" in text
    assert "(got 2 at once). Set 6 or more." in text


def test_a_generator_where_a_discriminator_belongs_is_refused() -> None:
    values = changed()
    values["models"]["srgan"]["quickstart"]["adversarial"]["discriminator"] = {"network": "srcnn"}
    assert "adversarial.discriminator.network: unknown name (got 'srcnn')" in problem(values)


def test_numbers_in_scientific_notation_are_numbers_as_dvc_reads_them(tmp_path) -> None:
    text = FILE.read_text().replace("learning_rate: 1.0e-3", "learning_rate: 1e-3")
    (tmp_path / "params.yaml").write_text(text)
    assert load(tmp_path / "params.yaml") == load(FILE)


def test_another_recipe_and_preset_than_the_files_own_can_be_asked_for() -> None:
    asked = load(FILE, model="edsr", preset="paper")
    assert (asked.model, asked.preset, asked.recipe.generator.name) == ("edsr", "paper", "edsr")
    assert asked.seed == load(FILE).seed


def test_a_missing_file_says_where_to_run(tmp_path) -> None:
    with pytest.raises(ConfigError, match="repository's root"):
        load(tmp_path / "params.yaml")
