"""A recipe, `models.RECIPE.PRESET` in params.yaml: networks, objectives and schedules."""

import dataclasses
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Literal, get_args

from srmodels import models, objectives
from srmodels.config import ProblemCollector, one_of
from srmodels.engine.settings import TrainSettings, members_without_crops
from srmodels.errors import ConfigError

Init = Literal["pretrained", "scratch"]


@dataclass(frozen=True, kw_only=True)
class Network:
    """The name of a module in `srmodels.models`, and an instance of its Settings."""

    name: str
    settings: Any


@dataclass(frozen=True, kw_only=True)
class Objective:
    """The name of a module in `srmodels.objectives`, and an instance of its Settings."""

    name: str
    settings: Any


@dataclass(frozen=True, kw_only=True)
class Pretrain:
    """Trains the generator without other networks."""

    objective: Objective  # the losses
    training: TrainSettings  # steps, batches and optimizer


@dataclass(frozen=True, kw_only=True)
class Adversarial:
    """Trains the generator together with the objective's other networks."""

    opponents: Mapping[str, Network]  # the other networks, by role
    objective: Objective  # the losses
    training: TrainSettings  # steps, batches and optimizer
    # the generator starts from "pretrained" weights, or from "scratch" (random weights)
    init: Init = "pretrained"
    # The file of weights that the discriminator starts from, such as an earlier run's
    # weights/discriminator.safetensors. DVC does not see when its content changes.
    init_discriminator_from: str | None = None


@dataclass(frozen=True, kw_only=True)
class Recipe:
    """One recipe in one preset; `adversarial` is None if the recipe has no such phase."""

    generator: Network
    pretrain: Pretrain
    adversarial: Adversarial | None

    def networks(self) -> tuple[Network, ...]:
        """Every network of the recipe, the generator first."""
        opponents = self.adversarial.opponents.values() if self.adversarial else ()
        return (self.generator, *opponents)


class _Reader:
    """Reads the parts of one recipe; a part with a problem is None."""

    def __init__(self, scale: int, problems: ProblemCollector) -> None:
        self.scale = scale
        self.problems = problems

    def network(self, values: object, role: str, where: str) -> Network | None:
        """A network for a role; the role "discriminator_hr" needs a discriminator."""
        given = values.get("network") if isinstance(values, Mapping) else None
        try:
            known = models.known_names(role.partition("_")[0], given)
        except ConfigError as error:  # spandrel is not installed
            self.problems.add(f"{where}.{error}")
            return None
        named = self.problems.named(values, "network", where, known)
        if named is None:
            return None
        name, rest = named
        kind = models.settings_class(name)
        if "scale" in {field.name for field in dataclasses.fields(kind)}:
            if "scale" in rest:
                self.problems.add(f"{where}.scale: belongs to the top of params.yaml. Set `scale`")
            rest |= {"scale": self.scale}
        settings = self.problems.section(rest, kind, where)
        return Network(name=name, settings=settings)

    def objective(
        self, values: object, generator: Network | None, where: str, *, alone: bool
    ) -> Objective | None:
        """An objective; `alone`: one that trains the generator without other networks."""
        named = self.problems.named(values, "name", where, objectives.names(alone=alone))
        if named is None:
            return None
        name, rest = named
        if objectives.needs_latent(name) and generator and not models.latent(generator.name):
            vaes = ", ".join(filter(models.latent, models.names("generator")))
            self.problems.add(
                f"{where}.name: {name} needs a generator with a posterior and a prior "
                f"(got {generator.name}). Use one of {vaes}"
            )
        settings = self.problems.section(rest, objectives.settings_class(name), where)
        return Objective(name=name, settings=settings)

    def training(self, values: object, generator: Network | None, where: str) -> Any:  # noqa: ANN401 - TrainSettings, or None beside a problem
        settings = self.problems.section(values, TrainSettings, where)
        if settings and generator:
            problem = members_without_crops(settings, generator.settings, where=where)
            if problem:
                self.problems.add(problem)
        return settings

    def pretrain(self, values: object, generator: Network | None, where: str) -> Pretrain:
        parts = self.problems.mapping(values, {"objective", "training"}, where)
        place = f"{where}.objective"
        return Pretrain(
            objective=self.objective(parts.get("objective"), generator, place, alone=True),  # type: ignore[arg-type]  # None only beside a problem
            training=self.training(parts.get("training"), generator, f"{where}.training"),
        )

    def adversarial(
        self, values: object, generator: Network | None, where: str
    ) -> Adversarial | None:
        if not isinstance(values, Mapping):
            self.problems.add(f"{where}: must be a section with keys, or null (got {values!r})")
            return None
        place = f"{where}.objective"
        objective = self.objective(values.get("objective"), generator, place, alone=False)
        if objective is None:
            return None
        roles = sorted(objectives.roles(objective.name) - {"generator"})
        parts = self.problems.mapping(
            values,
            {"objective", "training", *roles},
            where,
            {"init", "init_discriminator_from"},
        )
        start = parts.get("init_discriminator_from")
        if start is not None and (not isinstance(start, str) or "discriminator" not in roles):
            self.problems.add(
                f"{where}.init_discriminator_from: must be a file of weights for the role "
                f"discriminator, or null (got {start!r}; roles {', '.join(roles)}). Correct it"
            )
        init = parts.get("init", "pretrained")
        if init not in get_args(Init):
            self.problems.add(one_of(f"{where}.init", init, get_args(Init)))
        opponents = {
            role: self.network(parts[role], role, f"{where}.{role}")
            for role in roles
            if role in parts
        }
        training = self.training(parts.get("training"), generator, f"{where}.training")
        if training is not None:
            if not training.steps:
                self.problems.add(
                    f"{where}.training.steps: must be at least 1 (got 0). Set adversarial: null"
                )
            self.check_discriminators(opponents, objective, training, where)
        return Adversarial(
            opponents=opponents,  # type: ignore[arg-type]
            objective=objective,
            training=training,
            init=init,
            init_discriminator_from=start,
        )

    def check_discriminators(
        self,
        opponents: Mapping[str, Network | None],
        objective: Objective,
        training: TrainSettings,
        where: str,
    ) -> None:
        lr_side, shift = training.patch_size, getattr(objective.settings, "shift", 0)
        for role, network in opponents.items():
            if network is None or network.settings is None or not role.startswith("discriminator"):
                continue
            shown = lr_side if role.endswith("_lr") else lr_side * self.scale - shift
            required = getattr(network.settings, "patch_size", shown)
            least = getattr(network.settings, "min_input_size", 1)
            crops = f"{shown} pixels: patch_size {lr_side} LR, shift {shift}"
            if shown != required:
                self.problems.add(
                    f"{where}.{role}.patch_size: differs from the training crops (got "
                    f"{required} pixels; crops have {crops}). Make them equal"
                )
            elif shown < least:
                self.problems.add(
                    f"{where}.{role}: needs {least} pixels or more (got training crops of "
                    f"{crops}). Lower num_stages or raise {where}.training.patch_size"
                )


def read_recipe(values: object, *, scale: int, where: str, problems: ProblemCollector) -> Recipe:
    """Checks the section of a recipe, whose full key is `where`; a part with a problem is None."""
    reader = _Reader(scale, problems)
    parts = problems.mapping(values, {"generator", "pretrain", "adversarial"}, where)
    generator = reader.network(parts.get("generator"), "generator", f"{where}.generator")
    adversarial = None
    if parts.get("adversarial") is not None:
        adversarial = reader.adversarial(parts["adversarial"], generator, f"{where}.adversarial")
    return Recipe(
        generator=generator,  # type: ignore[arg-type]
        pretrain=reader.pretrain(parts.get("pretrain"), generator, f"{where}.pretrain"),
        adversarial=adversarial,
    )
