"""The objectives, one a module, found by module name; a module that begins with _ is none.

An objective's module has `ROLES` (the networks it needs, by role), `Settings` (a frozen dataclass)
and `turns(networks, settings, device)`; also `PAIRED = False` if the LR and HR of a batch must come
from different photographs, and `LATENT = True` if the generator must be a VAE. What turns are is
said in `turn`, which has no ROLES and so is no objective.
"""

from collections.abc import Mapping
from importlib import import_module
from types import ModuleType

import torch
from torch import nn

from srmodels.config import one_of
from srmodels.errors import ConfigError
from srmodels.models._modules import constant_in, modules_in
from srmodels.objectives.turn import Turn

__all__ = ["names", "needs_latent", "paired", "roles", "settings_class", "turns"]


def _roles() -> dict[str, set[str]]:
    found = {name: constant_in(f"{__name__}.{name}", "ROLES") for name in modules_in(__path__)}
    return {name: set(roles) for name, roles in found.items() if isinstance(roles, tuple)}


def names(*, alone: bool | None = None) -> list[str]:
    """The objectives there are, sorted; `alone`: only those with a generator and no other network.

    Args:
        alone: False gives the others; None gives all.
    """
    single = {"generator"}
    return [name for name, r in _roles().items() if alone is None or (r == single) == alone]


def roles(objective: str) -> set[str]:
    """The networks an objective needs, by role."""
    return _roles()[objective]


def paired(objective: str) -> bool:
    """Whether LR and HR of a batch must show the same; if not, they must not."""
    return constant_in(f"{__name__}.{objective}", "PAIRED") is not False


def needs_latent(objective: str) -> bool:
    """Whether the generator must have a posterior and a prior."""
    return constant_in(f"{__name__}.{objective}", "LATENT") is True


def _module(objective: str, where: str) -> ModuleType:
    if objective not in names():
        raise ConfigError(one_of(where, objective, names()))
    return import_module(f"{__name__}.{objective}")


def settings_class(objective: str, where: str = "objective") -> type:
    """The dataclass that an objective's settings fit.

    Args:
        objective: The objective's name, which is its module's.
        where: The key that named it, for the error.

    Raises:
        ConfigError: There is no such objective.
    """
    kind: type = _module(objective, where).Settings
    return kind


def turns(
    objective: str,
    networks: Mapping[str, nn.Module],
    settings: object,
    device: torch.device | None = None,
) -> tuple[Turn, ...]:
    """The turns of an objective, in the order they are taken.

    Args:
        objective: The objective's name, which is its module's.
        networks: The networks by role, as the engine wrapped them.
        settings: An instance of that module's Settings.
        device: Where frozen networks of the losses' own go; None leaves them on the CPU.

    Raises:
        ConfigError: There is no such objective.
        WeightsError: A loss's own weights cannot be had.
    """
    module = _module(objective, "objective")
    assert isinstance(settings, module.Settings), f"{objective} takes its own Settings"
    assert set(networks) == set(module.ROLES), f"{objective} needs {', '.join(module.ROLES)}"
    made: tuple[Turn, ...] = module.turns(networks, settings, device)
    return made
