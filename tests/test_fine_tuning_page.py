"""docs/FINE_TUNING.md: its preset is valid, and its network is that of the public weights."""

import copy
import dataclasses
import re
from pathlib import Path

from ruamel.yaml import YAML

from srmodels.params import parse

ROOT = Path(__file__).parents[1]


def test_the_preset_of_the_page_is_valid_and_fits_x4plus():
    page = (ROOT / "docs" / "FINE_TUNING.md").read_text()
    (block,) = re.findall(r"```yaml\n(.*?)```", page, flags=re.DOTALL)
    added = YAML(typ="safe").load(block)
    values = copy.deepcopy(YAML(typ="safe").load(ROOT / "params.yaml"))
    values["training"] |= added["training"]
    values["models"]["realesrgan"] |= added["models"]["realesrgan"]
    values |= {"model": "realesrgan", "preset": "finetune", "init_from": "x4plus.safetensors"}
    recipe = parse(values).recipe
    assert recipe.pretrain.training.steps == 0
    x4plus = {"num_blocks": 23, "channels": 64, "growth_channels": 32, "residual_scale": 0.2}
    settings = dataclasses.asdict(recipe.generator.settings)
    assert x4plus.items() <= settings.items()
    assert settings["upsampler"] == "nearest_conv"
