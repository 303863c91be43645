"""What a study trains: recipes, seeds, steps, and the names of its experiments."""

import json
import shlex
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from ruamel.yaml import YAML

from srmodels.atomic import write_json
from srmodels.config import one_of
from srmodels.errors import ConfigError, ProtocolError

PHASES = ("pretrain", "adversarial")
_LEAST_STEPS = 20


@dataclass(frozen=True, kw_only=True)
class Training:
    """One experiment of a study."""

    name: str
    recipe: str
    seed: int
    settings: tuple[str, ...]  # for `dvc exp run -S`

    def options(self) -> list[str]:
        """The options of `dvc exp run` that set them."""
        return [word for setting in self.settings for word in ("-S", setting)]


@dataclass(frozen=True, kw_only=True)
class Plan:
    """A study. Its `key` names everything that its results depend on."""

    key: str
    preset: str
    recipes: tuple[str, ...]
    seeds: int
    # steps of each phase by recipe; {} for the preset's own
    steps: Mapping[str, Mapping[str, int]]
    # `run.threads` of each training, so that it does not matter which of them run at once
    threads: int = 0

    def trainings(self) -> list[Training]:
        """All experiments; the first seed of every recipe comes first."""
        return [
            Training(
                name=f"study-{self.key}-{recipe}-{seed}",
                recipe=recipe,
                seed=seed,
                settings=(
                    f"model={recipe}",
                    f"seed={seed}",
                    "evaluate.strengths=[]",
                    f"++run.threads={self.threads}",
                    *(
                        f"++models.{recipe}.{self.preset}.{phase}.training.steps={count}"
                        for phase, count in self.steps.get(recipe, {}).items()
                    ),
                ),
            )
            for seed in range(self.seeds)
            for recipe in self.recipes
        ]

    def commands(self, jobs: int) -> list[str]:
        """What trains this study, as typed."""
        queued = [
            shlex.join(["dvc", "exp", "run", "--queue", "-n", one.name, *one.options()])
            for one in self.trainings()
        ]
        return ["dvc repro patches", *queued, f"dvc queue start -j {jobs}"]

    def save(self, folder: Path) -> None:
        """Writes the plan, so that an interrupted study goes on with the same steps."""
        write_json(folder / f"{self.key}.json", asdict(self))


def load_plan(folder: Path, key: str) -> Plan | None:
    """The plan of an interrupted study, if there is one."""
    path = folder / f"{key}.json"
    if not path.is_file():
        return None
    values = json.loads(path.read_bytes())
    return Plan(**{**values, "recipes": tuple(values["recipes"])})


def read_settings(root: Path) -> dict[str, Any]:
    """params.yaml as plain values; a ConfigError outside a repository."""
    path = root / "params.yaml"
    if not path.is_file() or not (root / ".dvc").is_dir():
        raise ConfigError("study: no repository here (got no params.yaml or no .dvc). Go to it.")
    values: dict[str, Any] = YAML(typ="safe").load(path)
    return values


def check_recipes(values: Mapping[str, Any], recipes: Sequence[str], preset: str) -> None:
    """Raises for a recipe or preset that params.yaml does not have, or for too few recipes."""
    if len(set(recipes)) < 2 or len(set(recipes)) < len(recipes):
        raise ProtocolError(
            f"study: needs two recipes or more, each once (got {', '.join(recipes) or 'none'}). "
            "Name them, such as srgan esrgan."
        )
    models = values["models"]
    for recipe in recipes:
        if recipe not in models:
            raise ConfigError(one_of("study: recipe", recipe, list(models)))
        if preset not in models[recipe]:
            having = [name for name, presets in models.items() if preset in presets]
            raise ConfigError(
                one_of("--preset", preset, list(models[recipe]))
                + (f". Recipes with it: {', '.join(having)}" if having else "")
            )


def steps_of(values: Mapping[str, Any], recipe: str, preset: str) -> dict[str, int]:
    """The steps of each phase that a recipe has in a preset."""
    section, shared = values["models"][recipe][preset], values.get("training", {}).get(preset, {})
    steps = {}
    for phase in PHASES:
        if section.get(phase):
            own = section[phase].get("training", {}).get("steps")
            steps[phase] = int(own or shared.get(phase, {}).get("steps", 0))
    return steps


def scaled_steps(
    steps: Mapping[str, Mapping[str, int]],
    seconds: Mapping[str, Mapping[str, float]],
    minutes: float,
) -> dict[str, dict[str, int]]:
    """Steps of each phase and recipe, all times one factor: a mean training takes so long.

    Args:
        steps: The preset's, by recipe and phase.
        seconds: Of one step, by recipe and phase.
        minutes: Of the mean training.
    """
    total = sum(count * seconds[r][phase] for r in steps for phase, count in steps[r].items())
    factor = 60 * minutes * len(steps) / total
    return {
        recipe: {phase: max(_LEAST_STEPS, round(count * factor)) for phase, count in phases.items()}
        for recipe, phases in steps.items()
    }
