"""Reads params.yaml into frozen dataclasses."""

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

from ruamel.yaml import YAML
from ruamel.yaml.error import YAMLError

from srmodels.config import ProblemCollector, one_of, shown
from srmodels.data.patches.settings import PatchSettings
from srmodels.data.photos.settings import PhotosSettings
from srmodels.engine.settings import RunSettings, TrainSettings
from srmodels.errors import ConfigError
from srmodels.evaluation.settings import EvaluateSettings
from srmodels.recipe import Recipe, read_recipe

__all__ = ["RANDOM", "Params", "TopLevel", "load", "parse"]

RANDOM = "data/random"  # a file, since DVC's dependencies are files
SECTIONS = {
    "data": PhotosSettings,
    "patches": PatchSettings,
    "evaluate": EvaluateSettings,
    "run": RunSettings,
}
PHASES = {"pretrain", "adversarial"}
_LARGEST = 2**31 - 1

Section = dict[str, Any]


@dataclass(frozen=True, kw_only=True)
class TopLevel:
    """The whole of params.yaml, with sections that are not yet checked.

    Attributes:
        model: The recipe, a key of `models`.
        preset: The amount of work, a key of that recipe and of `training`.
        seed: Seed of batches and initial weights.
        scale: HR over LR.
        init_from: The file of weights (.safetensors, .pth) that pretraining starts from;
            `data/random` stands for random weights.
        data: The photographs.
        patches: The patch extraction.
        evaluate: The evaluation.
        run: Device and checkpoint interval.
        training: By preset and phase, what a recipe leaves out.
        models: Recipes, by name and preset.
    """

    model: str
    preset: str
    seed: int
    scale: Literal[2, 3, 4, 8]
    init_from: str = RANDOM
    data: Section
    patches: Section
    evaluate: Section
    run: Section
    training: dict[str, dict[str, Section]]
    models: dict[str, dict[str, Section]]

    def __post_init__(self) -> None:
        if self.seed < 0:
            raise ValueError("seed must be 0 or more")


@dataclass(frozen=True, kw_only=True)
class Params:
    """Everything in params.yaml that concerns the chosen recipe and preset.

    Attributes:
        model: The recipe, a key of `models`.
        preset: The amount of work, a key of that recipe.
        seed: Seed of batches and initial weights.
        scale: HR over LR.
        init_from: The file of weights that pretraining starts from, or `RANDOM`.
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
    init_from: str
    data: PhotosSettings
    patches: PatchSettings
    recipe: Recipe
    evaluate: EvaluateSettings
    run: RunSettings
    values: Mapping[str, object]


def _plain(values: object) -> Any:  # noqa: ANN401 - any value of JSON
    """The values as JSON holds them: without dates, sets, or keys that are no text."""
    try:
        return json.loads(json.dumps(values, default=str))
    except (TypeError, ValueError, RecursionError) as error:
        raise ConfigError(f"params.yaml: not plain values (got {error}). Correct them") from None


def _too_large(values: Any, where: str = "") -> Iterator[str]:  # noqa: ANN401 - any value of JSON
    """A problem for each integer that no setting can mean."""
    if isinstance(values, dict | list):
        pairs = values.items() if isinstance(values, dict) else enumerate(values)
        for key, value in pairs:
            yield from _too_large(value, f"{where}.{key}" if where else str(key))
    elif isinstance(values, int) and abs(values) > _LARGEST:
        yield f"{where}: must be at most {_LARGEST} (got {shown(values)})"


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
    values = _plain(values)
    for problem in _too_large(values):
        problems.add(problem)
    top: TopLevel | None = problems.section(values, TopLevel, "")
    problems.raise_problems()
    assert top is not None, "a section without problems"
    model, preset = top.model, top.preset
    if model not in top.models:
        problems.add(one_of("model", model, list(top.models)))
    elif preset not in top.models[model]:
        others = [name for name, presets in top.models.items() if preset in presets]
        problems.add(
            f"preset: {model} has none of this name, but {', '.join(others)} "
            f"{'have' if len(others) > 1 else 'has'} (got {shown(preset)}). Use one of "
            f"{', '.join(top.models[model])}, or such a recipe"
            if others
            else one_of("preset", preset, list(top.models[model]))
        )
    place = f"training.{preset}"
    training = top.training.get(preset, {})
    problems.mapping(training, set(), place, optional=PHASES)
    for phase, defaults in training.items():  # `steps` may be missing here
        problems.section(_merge(defaults, {"steps": 1}), TrainSettings, f"{place}.{phase}")
    problems.raise_problems()
    section = _add_training(top.models[model][preset], training)
    logged = ("model", "preset", "seed", "scale", "init_from", *SECTIONS)
    plain = {key: getattr(top, key) for key in sorted(logged) if key != "run"}
    params = Params(
        model=model,
        preset=preset,
        seed=top.seed,
        scale=top.scale,
        init_from=top.init_from,
        recipe=read_recipe(
            section, scale=top.scale, where=f"models.{model}.{preset}", problems=problems
        ),
        **{
            key: problems.section(getattr(top, key), section, key)
            for key, section in SECTIONS.items()
        },
        values={**plain, "recipe": section},
    )
    problems.raise_problems()
    if params.init_from == RANDOM and not params.recipe.pretrain.training.steps:
        problems.add(
            f"models.{model}.{preset}.pretrain.training.steps: must be at least 1 for random "
            "weights (got 0). Set it, or init_from to a file of weights"
        )
    trained = {"pretrain": params.recipe.pretrain, "adversarial": params.recipe.adversarial}
    for phase, section in trained.items():
        crop, patch = section.training.patch_size if section else 0, params.patches.patch_size
        if crop > patch:
            problems.add(
                f"models.{model}.{preset}.{phase}.training.patch_size: larger than "
                f"patches.patch_size (got {crop} and {patch}). Lower it."
            )
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
    except (YAMLError, ValueError, RecursionError) as error:
        reason = " ".join(str(error).split())
        raise ConfigError(f"{path}: not YAML (got {reason}). Correct its syntax") from None
    chosen = {key: name for key, name in (("model", model), ("preset", preset)) if name}
    return parse({**values, **chosen} if isinstance(values, dict) else values)
