"""`python -m reports.settings write`: docs/SETTINGS.md and params.schema.json from docstrings.

It also writes params.yaml as `dvc exp run -S` would, so that `-S` changes one line of it.
"""

import argparse
import json
from collections.abc import Iterator
from pathlib import Path

from dvc.utils.hydra import apply_overrides

from reports.settings_schema import Json, schema
from srmodels.params import SECTIONS

ROOT = Path(__file__).resolve().parents[1]
PARAMS = ROOT / "params.yaml"
SCHEMA = ROOT / "params.schema.json"
PAGE = ROOT / "docs" / "SETTINGS.md"
INTRODUCTION = """# Settings

Every key of [params.yaml](../params.yaml). `dvc exp run -S KEY=VALUE` changes a key that the file
has, and `-S ++KEY=VALUE` also adds one that the file leaves out. Below `models.RECIPE.PRESET`,
`generator`, each discriminator and the degrader name their `network`, and an `objective` names
itself by `name`; the settings of both follow here. `python -m reports.settings write` writes this
page from the docstrings."""


def _type(entry: Json) -> str:
    if "anyOf" in entry:
        return " or ".join(map(_type, entry["anyOf"]))
    if "enum" in entry:
        return " or ".join(f"`{value}`" for value in entry["enum"])
    if entry.get("type") == "array":
        items = entry.get("prefixItems")
        return f"{len(items)} {items[0]['type']}s" if items else f"{entry['items']['type']}s"
    kind = entry.get("type", "object")
    return " or ".join([kind] if isinstance(kind, str) else kind).replace("object", "keys")


def _lines(keys: Json, defs: Json, prefix: str = "") -> Iterator[str]:
    """A line for each key of a section and of the sections inside it."""
    for key, entry in keys.items():
        refs = [part["$ref"] for part in (entry, *entry.get("anyOf", ())) if "$ref" in part]
        if "const" not in entry and "$ref" not in entry:
            default = json.dumps(entry["default"]) if "default" in entry else ""
            facts = [_type(entry), f"default `{default}`" if default else "", entry.get("x-range")]
            meaning = f": {entry['description']}" if "description" in entry else ""
            yield f"- `{prefix}{key}` ({', '.join(filter(None, facts))}){meaning}"
        for ref in refs:
            yield from _lines(defs[ref.rpartition("/")[2]]["properties"], defs, f"{prefix}{key}.")


def page(schema: Json) -> str:
    """The text of docs/SETTINGS.md."""
    defs, top = schema["$defs"], schema["properties"]
    whole = ("model", "preset", "seed", "scale", "init_from")
    sections = {"The run as a whole": {key: top[key] for key in whole}}
    sections |= {f"`{name}`": defs[name]["properties"] for name in SECTIONS}
    recipe = top["models"]["additionalProperties"]["additionalProperties"]["properties"]
    adversarial = next(
        each
        for each in recipe["adversarial"]["anyOf"]
        if "init_discriminator_from" in each.get("properties", {})
    )
    sections["`models.RECIPE.PRESET`"] = {
        f"adversarial.{key}": adversarial["properties"][key]
        for key in ("init", "init_discriminator_from")
    }
    title = "`training.PRESET.PHASE` and `models.RECIPE.PRESET.PHASE.training`"
    sections[title] = defs["training"]["properties"]
    for name, section in defs.items():
        group, _, module = name.partition(".")
        if module:
            sections[f"{group.capitalize()} `{module}`"] = section["properties"]
    blocks = ["\n".join([f"## {t}", "", *_lines(keys, defs)]) for t, keys in sections.items()]
    return "\n\n".join([INTRODUCTION, *blocks]) + "\n"


def write_as_dvc(path: Path, *overrides: str) -> None:
    """Writes a file of settings as `dvc exp run -S OVERRIDE` leaves it; without any, as it is."""
    apply_overrides(path, list(overrides))


def files() -> dict[Path, str]:
    """The text of each generated file."""
    described = schema()
    return {PAGE: page(described), SCHEMA: json.dumps(described, indent=1) + "\n"}


def main() -> None:
    """Writes the files."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("action", choices=["write"])
    parser.parse_args()
    for _ in range(2):  # DVC folds long lines at the second time
        write_as_dvc(PARAMS)
    for path, text in files().items():
        path.write_text(text, encoding="utf-8")


if __name__ == "__main__":
    main()
