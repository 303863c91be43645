"""params.yaml as frozen dataclasses: the one door through which configuration comes in."""

import dataclasses
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from ruamel.yaml import YAML
from ruamel.yaml.error import YAMLError

from srmodels import models, objectives
from srmodels.config import Problem, one_of, problems_of, raise_problems
from srmodels.data.cut import PatchSettings
from srmodels.data.photos import PhotosSettings
from srmodels.engine.device import RunSettings
from srmodels.engine.train import TrainSettings
from srmodels.errors import ConfigError
from srmodels.evaluation.scores import EvaluateSettings

__all__ = ["Adversarial", "Network", "Objective", "Params", "Pretrain", "Recipe", "load", "parse"]


@dataclass(frozen=True, kw_only=True)
class Network:
    """A network by its module's name, and the settings it is built from."""

    name: str
    settings: Any


@dataclass(frozen=True, kw_only=True)
class Objective:
    """An objective by its module's name, and its settings."""

    name: str
    settings: Any


@dataclass(frozen=True, kw_only=True)
class Pretrain:
    """The generator on its own."""

    objective: Objective
    training: TrainSettings


@dataclass(frozen=True, kw_only=True)
class Adversarial:
    """The generator against its discriminator."""

    discriminator: Network
    objective: Objective
    training: TrainSettings


@dataclass(frozen=True, kw_only=True)
class Recipe:
    """One model in one preset; `adversarial` is None where that phase does not exist."""

    generator: Network
    pretrain: Pretrain
    adversarial: Adversarial | None


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


class _Door:
    """Collects every problem of one pass through the file."""

    def __init__(self) -> None:
        self.problems: list[Problem] = []

    def section(self, values: object, kind: type[Any], where: str) -> Any:  # noqa: ANN401 - any section
        checked, problems = problems_of(values, kind, where)
        self.problems += problems
        return checked

    def mapping(
        self, values: object, keys: set[str], where: str, optional: set[str] | None = None
    ) -> Mapping[str, Any]:
        """A mapping with exactly these keys."""
        prefix = f"{where}." if where else ""
        if not isinstance(values, Mapping):
            self.problems.append(f"{where or 'params.yaml'}: found {values!r}; keys were expected")
            return {}
        for key in values.keys() - keys - (optional or set()):
            found = one_of(prefix + str(key), key, sorted(keys | (optional or set())))
            self.problems.append(found.replace("unknown name", "unknown key"))
        self.problems += [f"{prefix}{key}: missing" for key in sorted(keys - values.keys())]
        return values

    def named(self, values: object, key: str, where: str) -> tuple[str, dict[str, Any]] | None:
        """Splits {key: NAME, ...settings} into the name and the settings."""
        if not isinstance(values, Mapping) or key not in values:
            self.problems.append(f"{where}.{key}: missing; found {values!r}")
            return None
        return str(values[key]), {k: v for k, v in values.items() if k != key}

    def network(self, values: object, role: str, where: str, scale: int | None) -> Network | None:
        named = self.named(values, "network", where)
        if named is None:
            return None
        name, rest = named
        if name not in models.names(role):
            self.problems.append(one_of(f"{where}.network", name, models.names(role)))
            return None
        settings = self.section(rest, models.settings_class(name), where)
        if scale is not None and settings is not None:
            if "scale" in rest:
                self.problems.append(f"{where}.scale: set `scale` at the top of params.yaml")
            settings = dataclasses.replace(settings, scale=scale)
        return Network(name=name, settings=settings)

    def objective(self, values: object, roles: set[str], where: str) -> Objective | None:
        named = self.named(values, "name", where)
        if named is None:
            return None
        name, rest = named
        known = objectives.names(roles)
        if name not in known:
            self.problems.append(one_of(f"{where}.name", name, known))
            return None
        kind = objectives.settings_class(name)
        return Objective(name=name, settings=self.section(rest, kind, where))


def _recipe(values: object, scale: int, where: str, door: _Door) -> Recipe | None:
    parts = door.mapping(values, {"generator", "pretrain", "adversarial"}, where)
    before = len(door.problems)
    if before and not parts:
        return None
    generator = door.network(parts.get("generator"), "generator", f"{where}.generator", scale)
    place = f"{where}.pretrain"
    pretrain = door.mapping(parts.get("pretrain"), {"objective", "training"}, place)
    objective = door.objective(pretrain.get("objective"), {"generator"}, f"{place}.objective")
    training = door.section(pretrain.get("training"), TrainSettings, f"{place}.training")
    adversarial = None
    if parts.get("adversarial") is not None:
        place = f"{where}.adversarial"
        keys = {"discriminator", "objective", "training"}
        phase = door.mapping(parts["adversarial"], keys, place)
        adversarial = Adversarial(
            discriminator=door.network(  # type: ignore[arg-type]  # None only beside a problem, raised below
                phase.get("discriminator"), "discriminator", f"{place}.discriminator", None
            ),
            objective=door.objective(  # type: ignore[arg-type]
                phase.get("objective"), {"generator", "discriminator"}, f"{place}.objective"
            ),
            training=door.section(phase.get("training"), TrainSettings, f"{place}.training"),
        )
        _check_fit(adversarial, scale, place, door)
    return Recipe(
        generator=generator,  # type: ignore[arg-type]
        pretrain=Pretrain(objective=objective, training=training),  # type: ignore[arg-type]
        adversarial=adversarial,
    )


def _check_fit(phase: Adversarial, scale: int, where: str, door: _Door) -> None:
    """A discriminator with a fixed patch size must get that size."""
    wanted = getattr(getattr(phase.discriminator, "settings", None), "patch_size", None)
    if wanted is not None and phase.training is not None:
        shift = getattr(getattr(phase.objective, "settings", None), "shift", 0)
        given = phase.training.patch_size * scale - shift
        if given != wanted:
            door.problems.append(
                f"{where}.discriminator.patch_size: found {wanted} HR pixels, but training crops "
                f"show it {given} (patch_size {phase.training.patch_size} LR, shift {shift}); "
                "make them equal"
            )


def parse(values: object) -> Params:
    """Checks plain values, as read from params.yaml.

    Raises:
        ConfigError: One line per problem: full key, value found, what would be right.
    """
    door = _Door()
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
        recipe=_recipe(recipes[model][preset], scale, f"models.{model}.{preset}", door),  # type: ignore[arg-type]
        evaluate=door.section(top["evaluate"], EvaluateSettings, "evaluate"),
        run=door.section(top["run"], RunSettings, "run"),
        values={
            **{key: top[key] for key in sorted(keys - {"models", "run"})},
            "recipe": recipes[model][preset],
        },
    )
    raise_problems(door.problems)
    return params


def load(path: Path = Path("params.yaml")) -> Params:
    """Reads params.yaml as DVC does (YAML 1.2: `1e-4` is a number).

    Raises:
        ConfigError: The file is missing, is no YAML, or holds something that cannot be used.
    """
    try:
        values = YAML(typ="safe").load(path)
    except FileNotFoundError:
        raise ConfigError(f"{path}: not found; run in the repository's root") from None
    except YAMLError as error:
        raise ConfigError(f"{path}: is not YAML; {error}") from None
    return parse(values)
