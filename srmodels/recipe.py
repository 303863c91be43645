"""A recipe: the networks by role, the objectives and the schedules of one model in one preset."""

import dataclasses
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Literal

from srmodels import models, objectives
from srmodels.config import ProblemCollector, one_of
from srmodels.engine.settings import TrainSettings, members_without_crops

__all__ = ["Adversarial", "Network", "Objective", "Pretrain", "Recipe", "read_recipe"]


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
    """The generator on its own.

    Attributes:
        objective: What it descends.
        training: How long and on what.
        init_from: Weights it starts from: a file of weights (.safetensors, .pth), or a recipe's
            name: what that recipe's pretraining gave last in this repository and preset. None is
            a random start.
    """

    objective: Objective
    training: TrainSettings
    init_from: str | None = None


@dataclass(frozen=True, kw_only=True)
class Adversarial:
    """The generator against its opponents.

    Attributes:
        opponents: The objective's other networks, by role.
        objective: Whose turns are taken.
        training: How long and on what.
        init: The generator begins "pretrained" or, with the pretraining left aside, from "scratch".
    """

    opponents: Mapping[str, Network]
    objective: Objective
    training: TrainSettings
    init: Literal["pretrained", "scratch"] = "pretrained"


@dataclass(frozen=True, kw_only=True)
class Recipe:
    """One model in one preset; `adversarial` is None where that phase does not exist."""

    generator: Network
    pretrain: Pretrain
    adversarial: Adversarial | None

    def networks(self) -> tuple[Network, ...]:
        """Every network of the recipe, the generator first."""
        opponents = self.adversarial.opponents.values() if self.adversarial else ()
        return (self.generator, *opponents)


@dataclass(frozen=True, kw_only=True)
class _Start:
    """The plain values among an adversarial section's networks and objectives."""

    init: Literal["pretrained", "scratch"] = "pretrained"


@dataclass(frozen=True, kw_only=True)
class _Source:
    init_from: str | None = None


def _network(
    values: object, role: str, where: str, scale: int, door: ProblemCollector
) -> Network | None:
    """A network that can play a role: "discriminator_hr" wants a discriminator."""
    named = door.named(values, "network", where)
    if named is None:
        return None
    name, rest = named
    known = models.names(role.partition("_")[0])
    if name not in known:
        door.problems.append(one_of(f"{where}.network", name, known))
        return None
    settings = door.section(rest, models.settings_class(name), where)
    if settings is not None and hasattr(settings, "scale"):
        if "scale" in rest:
            door.problems.append(f"{where}.scale: set `scale` at the top of params.yaml")
        settings = dataclasses.replace(settings, scale=scale)
    return Network(name=name, settings=settings)


def _objective(
    values: object, generator: Network | None, where: str, door: ProblemCollector, *, alone: bool
) -> Objective | None:
    named = door.named(values, "name", where)
    if named is None:
        return None
    name, rest = named
    known = objectives.names(alone=alone)
    if name not in known:
        door.problems.append(one_of(f"{where}.name", name, known))
        return None
    needs_latent = objectives.needs_latent(name)
    if needs_latent and generator is not None and not models.latent(generator.name):
        fitting = ", ".join(each for each in models.names("generator") if models.latent(each))
        door.problems.append(
            f"{where}.name: {name} needs a generator with a posterior and a prior (found "
            f"{generator.name}); one of {fitting}"
        )
    return Objective(name=name, settings=door.section(rest, objectives.settings_class(name), where))


def _pretrain(
    values: object, generator: Network | None, where: str, door: ProblemCollector
) -> Pretrain:
    parts = door.mapping(values, {"objective", "training"}, where, {"init_from"})
    given = {"init_from": parts["init_from"]} if "init_from" in parts else {}
    source = door.section(given, _Source, where)
    place = f"{where}.objective"
    return Pretrain(
        objective=_objective(parts.get("objective"), generator, place, door, alone=True),  # type: ignore[arg-type]  # None only beside a problem, which the caller raises
        training=door.section(parts.get("training"), TrainSettings, f"{where}.training"),
        init_from=source.init_from if source else None,
    )


def _adversarial(
    values: object, generator: Network | None, scale: int, where: str, door: ProblemCollector
) -> Adversarial | None:
    if not isinstance(values, Mapping):
        door.problems.append(f"{where}: found {values!r}; keys, or null, were expected")
        return None
    objective = _objective(
        values.get("objective"), generator, f"{where}.objective", door, alone=False
    )
    if objective is None:
        return None
    roles = sorted(objectives.roles(objective.name) - {"generator"})
    parts = door.mapping(values, {"objective", "training", *roles}, where, {"init"})
    start = door.section({"init": parts["init"]} if "init" in parts else {}, _Start, where)
    phase = Adversarial(
        opponents={
            role: _network(parts[role], role, f"{where}.{role}", scale, door)  # type: ignore[misc]
            for role in roles
            if role in parts
        },
        objective=objective,
        training=door.section(parts.get("training"), TrainSettings, f"{where}.training"),
        init=start.init if start else "pretrained",
    )
    if phase.training is not None:
        _check_fit(phase, scale, where, door)
    return phase


def _check_fit(phase: Adversarial, scale: int, where: str, door: ProblemCollector) -> None:
    """A discriminator must be able to judge the pictures it is shown."""
    lr_side = phase.training.patch_size
    shift = getattr(phase.objective.settings, "shift", 0)
    for role, network in phase.opponents.items():
        if network is None or network.settings is None or not role.startswith("discriminator"):
            continue
        shown = lr_side if role.endswith("_lr") else lr_side * scale - shift
        wanted = getattr(network.settings, "patch_size", shown)
        least = getattr(network.settings, "least_side", 1)
        if shown != wanted:
            door.problems.append(
                f"{where}.{role}.patch_size: found {wanted} pixels, but training crops show it "
                f"{shown} (patch_size {lr_side} LR, shift {shift}); make them equal"
            )
        elif shown < least:
            door.problems.append(
                f"{where}.{role}: judges {least} pixels or more, but training crops show it "
                f"{shown} (patch_size {lr_side} LR, shift {shift}); lower num_stages or raise "
                f"{where}.training.patch_size"
            )


def read_recipe(values: object, *, scale: int, where: str, door: ProblemCollector) -> Recipe:
    """Checks a recipe's section; where a part has a problem, the door knows and the part is None.

    Args:
        values: The section.
        scale: HR over LR.
        where: Its full key, "models.srgan.quickstart".
        door: Collects the problems.
    """
    parts = door.mapping(values, {"generator", "pretrain", "adversarial"}, where)
    generator = _network(parts.get("generator"), "generator", f"{where}.generator", scale, door)
    adversarial = None
    if parts.get("adversarial") is not None:
        place = f"{where}.adversarial"
        adversarial = _adversarial(parts["adversarial"], generator, scale, place, door)
    pretrain = _pretrain(parts.get("pretrain"), generator, f"{where}.pretrain", door)
    for name, phase in (("pretrain", pretrain), ("adversarial", adversarial)):
        if generator is not None and phase is not None and phase.training is not None:
            place = f"{where}.{name}.training"
            problem = members_without_crops(phase.training, generator.settings, where=place)
            door.problems += [problem] if problem else []
    return Recipe(
        generator=generator,  # type: ignore[arg-type]
        pretrain=pretrain,
        adversarial=adversarial,
    )
