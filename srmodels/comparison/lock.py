"""What an experiment's dvc.lock says: its recipe, photographs, settings and weights."""

import re
from collections.abc import Mapping, Sequence
from functools import cache
from pathlib import PurePath
from typing import Any

from ruamel.yaml import YAML

from srmodels.config import flat

_RECIPE = re.compile(r"models\.([^.\s]+)\.([^.\s]+)\.generator:")
_STAGE = re.compile(r"^  ([\w@-]+):\n", re.MULTILINE)
_OUTPUT = r"path: {}\n +hash: md5\n +md5: ([0-9a-f]{{32}})"
_NOT_COMPARED = ("run.", "evaluate.", "models.", "training.", "data.photos")


@cache  # most experiments share most stages, and YAML is slow
def _parsed(stage: str) -> Mapping[str, Any]:
    return YAML(typ="safe").load(stage) or {}


def _stages(lock: str) -> dict[str, str]:
    parts = _STAGE.split(lock)[1:]
    return dict(zip(parts[::2], parts[1::2], strict=True))


def stage_params(lock: str, stage: str) -> dict[str, Any]:
    """The parameters of a stage, by key; {} if the stage did not run."""
    files = _parsed(_stages(lock).get(stage, "")).get("params", {})
    return {key: value for values in files.values() for key, value in values.items()}


def recipe_of(lock: str) -> tuple[str, str]:
    """Recipe and preset that ran, since params.yaml may have changed; "" if unknown."""
    found = _RECIPE.search(lock)
    return (found[1], found[2]) if found else ("", "")


def digest_of_output(lock: str, path: str) -> str:
    """The MD5 of a file that a stage wrote or read; "" if unknown."""
    found = re.search(_OUTPUT.format(re.escape(path)), lock)
    return found[1] if found else ""


def digest_of_folder(lock: str, path: str) -> str:
    """The MD5 of a folder that a stage wrote or read; "" if unknown."""
    found = re.search(rf"path: {re.escape(path)}\n +hash: md5\n +md5: ([0-9a-f]{{32}}\.dir)", lock)
    return found[1] if found else ""


def photographs_of(lock: str) -> str:
    """A short name of the photographs: the preset of the bundled ones, a set, or a folder.

    "" if other photographs have been listed or cut since the scores were measured.
    """
    stages = _stages(lock)
    handed_on = (
        ("photos", "photos", "patches", "data/photos"),  # the first stage has its own folder
        ("patches", "data/patches", "evaluate", "data/patches"),
    )
    for writer, written, reader, read in handed_on:
        later = digest_of_folder(stages.get(writer, ""), written)
        if later != digest_of_folder(stages.get(reader, ""), read):
            return ""
    params = stage_params(lock, "photos")
    photos = str(params.get("data", {}).get("photos", ""))
    return str(params.get("preset", "")) if photos == "auto" else PurePath(photos).name


def settings_of(lock: str) -> dict[str, object]:
    """The settings of the training by short key, such as `pretrain.training.steps`."""
    recipe, preset = recipe_of(lock)
    found: dict[str, object] = {}
    for stage in ("photos", "patches", "pretrain", "gan"):
        params = stage_params(lock, stage)
        for phase in ("pretrain", "adversarial"):
            shared = params.pop(f"training.{preset}.{phase}", {})
            found |= flat(shared, f"{phase}.training")
        for key, values in params.items():
            found |= flat(values, key.removeprefix(f"models.{recipe}.{preset}."))
    kept = {key: value for key, value in found.items() if not key.startswith(_NOT_COMPARED)}
    return {key: value for key, value in kept.items() if key not in ("preset", "model")}


def differing_settings(locks: Sequence[str]) -> list[str]:
    """What each experiment sets differently from any other, as "key value, key value"."""
    settings = [settings_of(lock) for lock in locks]
    keys = {key: None for one in settings for key in one}
    differ = [key for key in keys if len({repr(one.get(key)) for one in settings}) > 1]
    return [", ".join(f"{key} {one[key]}" for key in differ if key in one) for one in settings]
