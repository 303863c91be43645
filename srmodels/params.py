"""params.yaml as frozen dataclasses: the one door through which configuration comes in."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from ruamel.yaml import YAML
from ruamel.yaml.error import YAMLError

from srmodels.config import ProblemCollector, one_of, raise_problems
from srmodels.data.patches.cut import PatchSettings
from srmodels.data.photos.settings import PhotosSettings
from srmodels.engine.run_settings import RunSettings
from srmodels.errors import ConfigError
from srmodels.evaluation.settings import EvaluateSettings
from srmodels.recipe import Recipe, read_recipe

__all__ = ["Params", "load", "names_recipe", "parse"]


@dataclass(frozen=True, kw_only=True)
class Params:
    """All of params.yaml that concerns the chosen model and preset.

    Attributes:
        model: The recipe's name, a key of `models`.
        preset: The scale of the work, a key of that recipe.
        seed: Decides batches and random starts.
        scale: HR over LR.
        data: Which photographs.
        patches: How they are cut.
        recipe: What is trained how.
        evaluate: What is scored.
        run: Device and checkpoint interval.
        values: The same as plain values, for logging.
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


def names_recipe(init_from: str) -> bool:
    """Whether `init_from` is a recipe's name and not a file's."""
    return Path(init_from).name == init_from and not Path(init_from).suffix


def _check_init_from(params: Params, recipes: list[str], door: ProblemCollector) -> None:
    start = params.recipe.pretrain.init_from
    where = f"models.{params.model}.{params.preset}.pretrain.init_from"
    if start is None or not names_recipe(start):
        return
    if start == params.model:
        door.problems.append(f"{where}: found the recipe itself; another recipe, a file, or null")
    elif start not in recipes:
        door.problems.append(one_of(where, start, recipes) + "; or a file's path")


def parse(values: object) -> Params:
    """Checks plain values, as read from params.yaml.

    Raises:
        ConfigError: One line per problem: full key, value found, what would be right.
    """
    door = ProblemCollector()
    keys = {"model", "preset", "seed", "scale", "data", "patches", "models", "evaluate", "run"}
    top = door.mapping(values, keys, "")
    raise_problems(door.problems)
    recipes, model, preset, scale = (top[key] for key in ("models", "model", "preset", "scale"))
    if model not in recipes:
        door.problems.append(one_of("model", model, list(recipes)))
    elif preset not in recipes[model]:
        door.problems.append(one_of("preset", preset, list(recipes[model])))
    for key, allowed in (("seed", range(2**31)), ("scale", (2, 3, 4, 8))):
        if isinstance(top[key], bool) or top[key] not in allowed:
            span = f"0 to {2**31 - 1}" if key == "seed" else "2, 3, 4 or 8"
            door.problems.append(f"{key}: found {top[key]!r}; a whole number, {span}, is right")
    raise_problems(door.problems)
    params = Params(
        model=model,
        preset=preset,
        seed=top["seed"],
        scale=scale,
        data=door.section(top["data"], PhotosSettings, "data"),
        patches=door.section(top["patches"], PatchSettings, "patches"),
        recipe=read_recipe(
            recipes[model][preset], scale=scale, where=f"models.{model}.{preset}", door=door
        ),
        evaluate=door.section(top["evaluate"], EvaluateSettings, "evaluate"),
        run=door.section(top["run"], RunSettings, "run"),
        values={
            **{key: top[key] for key in sorted(keys - {"models", "run"})},
            "recipe": recipes[model][preset],
        },
    )
    _check_init_from(params, list(recipes), door)
    raise_problems(door.problems)
    return params


def load(
    path: Path = Path("params.yaml"), *, model: str | None = None, preset: str | None = None
) -> Params:
    """Reads params.yaml as DVC does (YAML 1.2: `1e-4` is a number).

    Args:
        path: The file.
        model: Another recipe than the one chosen in the file.
        preset: Another preset.

    Raises:
        ConfigError: The file is missing, is no YAML, or holds something that cannot be used.
    """
    try:
        values = YAML(typ="safe").load(path)
    except FileNotFoundError:
        raise ConfigError(f"{path}: not found; run in the repository's root") from None
    except YAMLError as error:
        raise ConfigError(f"{path}: is not YAML; {error}") from None
    chosen = {key: each for key, each in (("model", model), ("preset", preset)) if each}
    return parse({**values, **chosen} if isinstance(values, dict) else values)
