import copy
from pathlib import Path

import pytest
from ruamel.yaml import YAML

from srmodels.errors import ConfigError
from srmodels.params import load, parse

FILE = Path(__file__).parents[1] / "params.yaml"
VALUES = YAML(typ="safe").load(FILE)


def changed(**top):
    return copy.deepcopy(VALUES) | top


def problem(values) -> str:
    with pytest.raises(ConfigError) as caught:
        parse(values)
    return str(caught.value)


@pytest.mark.parametrize(
    ("model", "preset"), [(m, p) for m, presets in VALUES["models"].items() for p in presets]
)
def test_every_recipe_of_the_file_passes_the_door(model, preset) -> None:
    assert parse(changed(model=model, preset=preset)).recipe.generator.settings.scale == 4


def test_a_misspelt_model_is_answered_with_the_names_and_the_nearest() -> None:
    text = problem(changed(model="srgann"))
    assert text.startswith("model: unknown name (found 'srgann')")
    assert "did you mean srgan?" in text


def test_a_misspelt_preset_is_answered_with_the_names() -> None:
    assert "one of smoke, quickstart, bsds400, paper" in problem(changed(preset="quick"))


def test_a_misspelt_key_is_named_in_full_with_what_it_could_be() -> None:
    values = changed()
    training = values["models"]["srgan"]["quickstart"]["pretrain"]["training"]
    training["bath_size"] = training.pop("batch_size")
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


def test_a_discriminator_of_another_patch_size_is_refused_before_training() -> None:
    values = changed(preset="paper")
    values["models"]["srgan"]["paper"]["adversarial"]["training"]["patch_size"] = 32
    assert "show it 128 (patch_size 32 LR, shift 0)" in problem(values)


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
    assert "adversarial.discriminator.network: unknown name (found 'srcnn')" in problem(values)


def test_numbers_in_scientific_notation_are_numbers_as_dvc_reads_them(tmp_path) -> None:
    text = FILE.read_text().replace("learning_rate: 1.0e-4", "learning_rate: 1e-4")
    (tmp_path / "params.yaml").write_text(text)
    assert load(tmp_path / "params.yaml").model == VALUES["model"]


def test_another_recipe_and_preset_than_the_files_own_can_be_asked_for() -> None:
    asked = load(FILE, model="edsr", preset="paper")
    assert (asked.model, asked.preset, asked.recipe.generator.name) == ("edsr", "paper", "edsr")
    assert asked.seed == load(FILE).seed


def test_a_missing_file_says_where_to_run(tmp_path) -> None:
    with pytest.raises(ConfigError, match="repository's root"):
        load(tmp_path / "params.yaml")
