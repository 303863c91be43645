"""Reads params.yaml into frozen dataclasses."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from ruamel.yaml import YAML
from ruamel.yaml.error import YAMLError

from srmodels.config import ProblemCollector, one_of
from srmodels.data.patches.settings import PatchSettings
from srmodels.data.photos.settings import PhotosSettings
from srmodels.engine.settings import RunSettings, TrainSettings
from srmodels.errors import ConfigError
from srmodels.evaluation.settings import EvaluateSettings
from srmodels.recipe import Recipe, read_recipe

__all__ = ["Params", "is_recipe_name", "load", "parse"]

SCALES = (2, 3, 4, 8)
SECTIONS = {
    "data": PhotosSettings,
    "patches": PatchSettings,
    "evaluate": EvaluateSettings,
    "run": RunSettings,
}
PHASES = {"pretrain", "adversarial"}


@dataclass(frozen=True, kw_only=True)
class Params:
    """Everything in params.yaml that concerns the chosen recipe and preset.

    Attributes:
        model: The recipe, a key of `models`.
        preset: The amount of work, a key of that recipe.
        seed: Seed of batches and initial weights.
        scale: HR over LR.
        data: The photographs.
        patches: The patch extraction.
        recipe: The networks and their training.
        evaluate: The evaluation.
        run: Device and checkpoint interval.
        values: The same as plain values, for MLflow.
    """

    model: str
    preset: str
    seed: int
    scale: int
    data: PhotosSettings
    patches: PatchSettings
    recipe: Recipe
    evaluate: EvaluateSettings
    run: RunSettings
    values: Mapping[str, object]


def is_recipe_name(init_from: str) -> bool:
    """Whether `init_from` is a recipe's name instead of a file's."""
    return Path(init_from).name == init_from and not Path(init_from).suffix


def _merge(values: Any, defaults: Any) -> Any:  # noqa: ANN401 - any value of YAML
    """`values` over `defaults`; mappings are merged, everything else is replaced."""
    if not isinstance(values, Mapping) or not isinstance(defaults, Mapping):
        return values
    return {**defaults, **{key: _merge(value, defaults.get(key)) for key, value in values.items()}}


def _add_training(recipe: Any, training: Mapping[str, Any]) -> Any:  # noqa: ANN401
    """The recipe's section, with what its phases' `training` leaves out."""
    if not isinstance(recipe, Mapping):
        return recipe
    return {**recipe} | {
        phase: _merge({"training": {}, **recipe[phase]}, {"training": training.get(phase)})
        for phase in PHASES
        if isinstance(recipe.get(phase), Mapping)
    }


def parse(values: object) -> Params:
    """Checks plain values, as read from params.yaml.

    Raises:
        ConfigError: A line for every problem, with its full key.
    """
    problems = ProblemCollector()
    logged = {"model", "preset", "seed", "scale", "data", "patches", "evaluate"}
    top = problems.mapping(values, {*logged, "training", "models", "run"}, "")
    for key in ("training", "models"):
        problems.mapping(top.get(key, {}), set(), key, optional=None)
    problems.raise_problems()
    recipes, model, preset, scale = (top[key] for key in ("models", "model", "preset", "scale"))
    if model not in recipes:
        problems.add(one_of("model", model, list(recipes)))
    elif preset not in recipes[model]:
        problems.add(one_of("preset", preset, list(recipes[model])))
    if isinstance(top["seed"], bool) or top["seed"] not in range(2**31):
        problems.add(f"seed: must be an integer from 0 to {2**31 - 1} (got {top['seed']!r})")
    if isinstance(scale, bool) or scale not in SCALES:
        problems.add(f"scale: must be 2, 3, 4 or 8 (got {scale!r})")
    place = f"training.{preset}"
    training = problems.mapping(top["training"].get(preset, {}), set(), place, optional=PHASES)
    for phase, defaults in training.items():  # `steps` may be missing here
        problems.section(_merge(defaults, {"steps": 1}), TrainSettings, f"{place}.{phase}")
    problems.raise_problems()
    where = f"models.{model}.{preset}"
    section = _add_training(recipes[model][preset], training)
    params = Params(
        model=model,
        preset=preset,
        seed=top["seed"],
        scale=scale,
        recipe=read_recipe(section, scale=scale, where=where, problems=problems),
        **{key: problems.section(top[key], section, key) for key, section in SECTIONS.items()},
        values={**{key: top[key] for key in sorted(logged)}, "recipe": section},
    )
    start, place = params.recipe.pretrain.init_from, f"{where}.pretrain.init_from"
    if start == model:
        problems.add(f"{place}: is the recipe itself. Name another recipe, a file, or null")
    elif isinstance(start, str) and is_recipe_name(start) and start not in recipes:
        problems.add(one_of(place, start, list(recipes)) + ", or a file's path")
    problems.raise_problems()
    return params


def load(
    path: Path = Path("params.yaml"), *, model: str | None = None, preset: str | None = None
) -> Params:
    """Reads params.yaml as DVC does (YAML 1.2: `1e-4` is a number).

    Args:
        path: The file.
        model: Overrides the file's `model`.
        preset: Overrides the file's `preset`.

    Raises:
        ConfigError: The file is missing, is not YAML, or has a wrong key or value.
    """
    try:
        values = YAML(typ="safe").load(path)
    except FileNotFoundError:
        raise ConfigError(f"{path}: not found. Run in the repository's root") from None
    except YAMLError as error:
        raise ConfigError(f"{path}: not YAML (got {error}). Correct its syntax") from None
    chosen = {key: name for key, name in (("model", model), ("preset", preset)) if name}
    return parse({**values, **chosen} if isinstance(values, dict) else values)
