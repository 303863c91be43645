"""`python -m reports.presets write`: docs/PRESETS.md, what presets change, from params.yaml."""

import argparse
import dataclasses
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from ruamel.yaml import YAML

from reports import markdown
from reports.command_line import ROOT
from srmodels.config import flat
from srmodels.params import parse
from srmodels.recipe import Recipe

PAGE = ROOT / "docs" / "PRESETS.md"
_ALWAYS = ("log_every", "validate_every")  # no part of a method
_HIDDEN = "second_order"  # forty numbers of a degradation that is on or off


def _values(recipe: Recipe) -> dict[str, object]:
    """All settings of a recipe, its defaults included, by the keys of params.yaml."""

    def named(part: Any, key: str) -> dict[str, object]:  # noqa: ANN401 - Network or Objective
        return {key: part.name, **dataclasses.asdict(part.settings)}

    values: dict[str, object] = {"generator": named(recipe.generator, "network")}
    for phase in ("pretrain", "adversarial"):
        section = getattr(recipe, phase)
        if section is not None:
            opponents = getattr(section, "opponents", {})
            values[phase] = {
                **{role: named(network, "network") for role, network in opponents.items()},
                "objective": named(section.objective, "name"),
                "training": dataclasses.asdict(section.training),
            }
    return {
        key: value
        for key, value in flat(values)
        if f".{_HIDDEN}." not in key and not key.endswith(_ALWAYS)
    }


def _shown(values: Mapping[str, object], key: str) -> str:
    value = values.get(key, "-")
    if isinstance(value, tuple):
        return ", ".join(map(str, value)) or "none"
    return "none" if value is None else f"{value:g}" if isinstance(value, float) else str(value)


def differences(columns: Mapping[str, Recipe]) -> list[list[str]]:
    """A line per setting that is not the same in all recipes: its key, then its values."""
    values = [_values(recipe) for recipe in columns.values()]
    keys = dict.fromkeys(key for one in values for key in one)
    lines = [[f"`{key}`", *(_shown(one, key) for one in values)] for key in keys]
    return [line for line in lines if len(set(line[1:])) > 1]


def recipes_of(path: Path, preset: str) -> dict[str, Recipe]:
    """Every recipe that has the preset, by name."""
    values = YAML(typ="safe").load(path)
    names = [name for name, presets in values["models"].items() if preset in presets]
    return {name: parse({**values, "model": name, "preset": preset}).recipe for name in names}


def sections(path: Path) -> dict[str, str]:
    """The generated parts of the page."""
    matched = recipes_of(path, "matched")
    gans = {
        name: recipe
        for name, recipe in matched.items()
        if recipe.adversarial and recipe.adversarial.objective.name == "gan"
    }
    paper, quickstart = recipes_of(path, "paper"), recipes_of(path, "quickstart")
    blocks = []
    for name, recipe in paper.items():
        rows = differences({"paper": recipe, "quickstart": quickstart[name]})
        heading = ("setting", "paper", "quickstart")
        blocks.append(f"### {name}\n\n{markdown.table(heading, rows)}")
    return {
        "matched": markdown.table(("setting", *gans), differences(gans)),
        "papers": "\n\n".join(blocks),
    }


def main() -> None:
    """Writes the page."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("action", choices=["write"])
    parser.parse_args()
    markdown.fill_sections(PAGE, sections(ROOT / "params.yaml"))


if __name__ == "__main__":
    main()
