"""docs/SETTINGS.md and params.schema.json are current, and params.yaml fits the schema."""

import copy
import re
import shutil
from pathlib import Path

import pytest
from ruamel.yaml import YAML

from reports.settings import PARAMS, files, write_as_dvc
from reports.settings_schema import schema

VALUES = YAML(typ="safe").load(Path(__file__).parents[2] / "params.yaml")
TYPES = {
    "object": dict,
    "array": list,
    "string": str,
    "boolean": bool,
    "integer": int,
    "number": (int, float),
    "null": type(None),
}


@pytest.fixture(scope="module")
def whole():
    return schema()


def fits(value, part, defs) -> bool:
    """JSON Schema, as far as the file uses it."""
    if "$ref" in part:
        return fits(value, defs[part["$ref"].rpartition("/")[2]], defs)
    if "anyOf" in part:
        return any(fits(value, option, defs) for option in part["anyOf"])
    if "const" in part or "enum" in part:
        return value in part.get("enum", [part.get("const")])
    kinds = [part["type"]] if isinstance(part["type"], str) else part["type"]
    if not any(isinstance(value, TYPES[kind]) for kind in kinds):
        return False
    if isinstance(value, list):
        items = part.get("prefixItems") or [part["items"]] * len(value)
        return len(items) == len(value) and all(map(fits, value, items, [defs] * len(value)))
    if isinstance(value, dict):
        properties, further = part.get("properties", {}), part["additionalProperties"]
        return set(part.get("required", ())) <= value.keys() and all(
            fits(each, properties.get(key, further), defs)
            if properties.get(key, further)
            else False
            for key, each in value.items()
        )
    if isinstance(value, bool):
        return "boolean" in kinds
    return not isinstance(value, str) or bool(re.search(part.get("pattern", ""), value))


def test_the_page_and_the_schema_are_current() -> None:
    for path, text in files().items():
        assert path.read_text() == text, f"{path.name}: run python -m reports.settings write"


def test_the_file_of_settings_fits_the_schema(whole) -> None:
    assert fits(VALUES, whole, whole["$defs"])


@pytest.mark.parametrize(
    ("key", "value"),
    [
        ("data.photoz", "auto"),
        ("patches.stride", "64"),
        ("training.smoke.pretrain.optimizer.rate", 0.1),
        ("models.srgan.smoke.generator.network", "patch_discriminator"),
        ("models.srgan.smoke.generator.window_size", 8),
        ("models.srgan.smoke.adversarial.objective.weights.kl", 1.0),
        ("models.srgan.smoke.adversarial.discriminator.network", "srresnet"),
        ("models.srcnn.smoke.pretrain.objective.name", "gan"),
    ],
)
def test_a_wrong_key_or_value_does_not_fit(whole, key, value) -> None:
    values = copy.deepcopy(VALUES)
    *path, last = key.split(".")
    section = values
    for name in path:
        section = section[name]
    section[last] = value
    assert not fits(values, whole, whole["$defs"])


def test_a_key_has_its_type_its_default_its_range_and_its_meaning() -> None:
    (page, *_) = files().values()
    assert "- `optimizer.learning_rate` (number, default `0.0001`, between 0 and 1): The " in page
    assert not re.search(r"\): *$", page, re.MULTILINE)


@pytest.mark.parametrize(
    ("override", "line"),
    [
        ("model=esrgan", "model: esrgan #"),
        ("data.photos='/home/josé/my [best] photos'", "  photos: /home/josé/my [best] photos #"),
        ("models.srgan.quickstart.pretrain.training.steps=7", "          steps: 7"),
        ("models.srgan.quickstart.adversarial.objective.weights.adversarial=0.5", "pixel: 1.0"),
        ("training.quickstart.pretrain.optimizer.muon_learning_rate=0.02", "0.02"),
    ],
)
def test_a_setting_of_the_command_line_changes_one_line_of_the_file(tmp_path, override, line):
    path = tmp_path / "params.yaml"
    shutil.copy(PARAMS, path)
    write_as_dvc(path, override)
    pairs = zip(PARAMS.read_text().splitlines(), path.read_text().splitlines(), strict=True)
    (changed,) = [new for old, new in pairs if old != new]
    assert line in changed
