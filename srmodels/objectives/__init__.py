"""The objectives, one module each, found by module name.

An objective's module has `ROLES` (the networks by role), `Settings` (a frozen dataclass) and
`turns(networks, settings, device)`; optionally `PAIRED = False` (LR and HR of a batch come from
different photographs) and `LATENT = True` (the generator must be a VAE). See `turn` for turns.
"""

from collections.abc import Mapping

import torch
from torch import nn

from srmodels.models._modules import constant_in, import_named, modules_in
from srmodels.objectives.turn import AVERAGE, Turn

__all__ = ["names", "needs_latent", "paired", "roles", "settings_class", "turns"]


def _constant(objective: str, name: str) -> object:
    return constant_in(f"{__name__}.{objective}", name)


def names(*, alone: bool | None = None) -> list[str]:
    """All objectives' names, sorted; with `alone`, those with (or without) a generator only."""
    found = {name: _constant(name, "ROLES") for name in modules_in(__path__)}
    return [
        name
        for name, roles in found.items()
        if isinstance(roles, tuple) and alone in (None, roles == ("generator",))
    ]


def roles(objective: str) -> set[str]:
    """The networks an objective needs, by role."""
    value = _constant(objective, "ROLES")
    assert isinstance(value, tuple), f"{objective} has no ROLES"
    return set(value)


def paired(objective: str) -> bool:
    """Whether LR and HR of a batch must show the same; if not, they come from other photographs."""
    return _constant(objective, "PAIRED") is not False


def needs_latent(objective: str) -> bool:
    """Whether the generator must have a posterior and a prior."""
    return _constant(objective, "LATENT") is True


def settings_class(objective: str) -> type:
    """The Settings class of an objective; a ConfigError if there is none of this name."""
    settings: type = import_named(__name__, objective, names(), "objective").Settings
    return settings


def turns(
    objective: str,
    networks: Mapping[str, nn.Module],
    settings: object,
    device: torch.device | None = None,
) -> tuple[Turn, ...]:
    """An objective's turns, in order, of wrapped networks; `device` is of the losses' own ones.

    `networks` are those of the objective's `ROLES`; "average" (`turn.AVERAGE`) may be among them.
    """
    module = import_named(__name__, objective, names(), "objective")
    assert isinstance(settings, module.Settings), f"{objective} takes its own Settings"
    assert set(networks) - {AVERAGE} == set(module.ROLES), (
        f"{objective} needs {', '.join(module.ROLES)}"
    )
    objective_turns: tuple[Turn, ...] = module.turns(networks, settings, device)
    return objective_turns
