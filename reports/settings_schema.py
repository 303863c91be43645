"""The JSON Schema of params.yaml, from the settings' dataclasses and their docstrings."""

import dataclasses
import inspect
import re
from collections.abc import Hashable
from typing import Any, cast

from pydantic import TypeAdapter
from pydantic.json_schema import GenerateJsonSchema

from srmodels import models, objectives
from srmodels.config import section_adapter
from srmodels.engine.settings import TrainSettings
from srmodels.params import PHASES, SECTIONS, TopLevel
from srmodels.recipe import Adversarial

Json = dict[str, Any]


def meanings(section: type[Any]) -> dict[str, str]:
    """What a dataclass and its bases say of a key, in `Attributes:` or a comment at the field."""
    found: dict[str, str] = {}
    for base in filter(dataclasses.is_dataclass, reversed(section.__mro__)):
        above: list[str] = []
        for line in inspect.getsource(base).splitlines():
            field = re.match(r" {4}(\w+): [^#]*(?:# (.*))?$", line)
            if field and (text := " ".join([*above, *filter(None, [field[2]])])):
                found[field[1]] = text
            comment = re.match(r" {4}# (.*)", line)
            above = [*above, comment[1]] if comment else []
        attributes = (base.__doc__ or "").partition("Attributes:\n")[2]
        for name, text in re.findall(r"^ {8}(\w+): (.*(?:\n {12}.*)*)", attributes, re.MULTILINE):
            found[name] = " ".join(text.split())
    return found


def _default(field: dataclasses.Field[Any]) -> Any:  # noqa: ANN401 - any default
    factory = field.default_factory
    return field.default if factory is dataclasses.MISSING else factory()


def ranges(section: type[Any]) -> dict[str, str]:
    """What the section's own check says to numbers far below and far above, by key."""
    defaults = {field.name: _default(field) for field in dataclasses.fields(section)}
    required = {key: 1 for key, value in defaults.items() if value is dataclasses.MISSING}
    found: dict[str, str] = {}
    for key, default in (defaults | required).items():
        for probe in (-1, 10**9):
            value = (probe,) * max(1, len(default)) if isinstance(default, tuple) else probe
            try:
                section(**{**required, key: value})
            except ValueError as error:
                problem = re.match(rf"{key} must (?:be |lie )?(.*)", str(error))
                if problem and problem[1] not in found.get(key, ""):
                    found[key] = f"{found[key]}; {problem[1]}" if key in found else problem[1]
            except (AttributeError, KeyError, TypeError):
                continue  # the key takes no number
    return found


class _Schema(GenerateJsonSchema):
    """pydantic's JSON Schema with meanings, ranges ("x-range") and all defaults."""

    def field_title_should_be_set(self, schema: Any) -> bool:  # noqa: ANN401, ARG002
        return False

    def dataclass_schema(self, schema: Any) -> Json:  # noqa: ANN401
        section, described = schema["cls"], super().dataclass_schema(schema)
        described["description"] = (section.__doc__ or "").partition("\n")[0]
        texts, limits = meanings(section), ranges(section)
        for field in dataclasses.fields(section):
            entry, default = described["properties"][field.name], _default(field)
            if field.name in texts:
                entry["description"] = texts[field.name][0].upper() + texts[field.name][1:]
            if field.name in limits:
                entry["x-range"] = limits[field.name]
            if default is not dataclasses.MISSING and not dataclasses.is_dataclass(default):
                entry.setdefault("default", default)
        return described


def _object(properties: Json, *required: str) -> Json:
    keys = {"required": list(required)} if required else {}
    return {"type": "object", "properties": properties, **keys, "additionalProperties": False}


def _one_of(group: str, names: list[str]) -> Json:
    return {"anyOf": [{"$ref": f"#/$defs/{group}.{name}"} for name in names]}


def _recipe(training: Json) -> Json:
    init: Json = {"enum": ["pretrained", "scratch"], "default": "pretrained"}
    init["description"] = meanings(Adversarial)["init"]
    start: Json = {"type": ["string", "null"], "default": None}
    start["description"] = meanings(Adversarial)["init_discriminator_from"]
    adversarial: list[Json] = [{"type": "null"}]
    for name in objectives.names(alone=False):
        roles = sorted(objectives.roles(name) - {"generator"})
        phase = {role: _one_of("network", models.names(role.partition("_")[0])) for role in roles}
        phase["objective"] = {"$ref": f"#/$defs/objective.{name}"}
        phase |= {"training": training, "init": init}
        if "discriminator" in roles:
            phase["init_discriminator_from"] = start
        adversarial.append(_object(phase, "objective", *roles))
    objective = _one_of("objective", objectives.names(alone=True))
    pretrain = {"objective": objective, "training": training}
    theirs: Json = {  # without the hyper-parameters, which spandrel's version decides
        "type": "object",
        "properties": {"network": {"type": "string", "pattern": "^spandrel:"}},
        "required": ["network"],
        "additionalProperties": {},
    }
    parts = {
        "generator": {"anyOf": [*_one_of("network", models.names("generator"))["anyOf"], theirs]},
        "pretrain": _object(pretrain, "objective"),
        "adversarial": {"anyOf": adversarial},
    }
    return _object(parts, *parts)


def schema() -> Json:
    """The JSON Schema of params.yaml."""
    classes: dict[str, type[Any]] = {**SECTIONS, "training": TrainSettings}
    classes |= {f"network.{name}": models.settings_class(name) for name in models.names()}
    classes |= {f"objective.{n}": objectives.settings_class(n) for n in objectives.names()}
    inputs: Any = [
        (name, "validation", section_adapter(cast("Hashable", cls)))
        for name, cls in classes.items()
    ]
    sections, shared = TypeAdapter.json_schemas(inputs, schema_generator=_Schema)
    defs: Json = shared["$defs"]
    for (name, _), root in sections.items():
        section = defs.pop(root["$ref"].rpartition("/")[2]) if "$ref" in root else root
        section.pop("required", None)  # another section may hold the key: `training` its `steps`
        group, _, module = name.partition(".")
        if module:
            key, properties = {"network": "network", "objective": "name"}[group], {}
            properties[key] = {"const": module, "description": section["description"]}
            properties |= {k: v for k, v in section["properties"].items() if k != "scale"}
            section.update(_object(properties, key))
        defs[name] = section
    training = {"$ref": "#/$defs/training"}
    whole = section_adapter(cast("Hashable", TopLevel)).json_schema(schema_generator=_Schema)
    names = ("model", "preset", "seed", "scale", "init_from")
    top: Json = {name: whole["properties"][name] for name in names}
    top |= {name: {"$ref": f"#/$defs/{name}"} for name in SECTIONS}
    phases = _object(dict.fromkeys(sorted(PHASES), training))
    top["training"] = {"type": "object", "additionalProperties": phases}
    presets = {"type": "object", "additionalProperties": _recipe(training)}
    top["models"] = {"type": "object", "additionalProperties": presets}
    return {"title": "params.yaml", **_object(top, *top), "$defs": defs}
