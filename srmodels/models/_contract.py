"""Checks what every network module must offer, so that a new one fails before its training."""

import dataclasses
import inspect
from types import ModuleType

import torch
from torch import nn

from srmodels.errors import ConfigError

_ROLES = ("generator", "discriminator", "degrader")
_NEEDED = {  # attributes of a network, by role
    "generator": {
        "scale": "SR's side over LR's, settings.scale",
        "padding": "the LR pixels around an SR pixel that it depends on",
        "multiple": "1, unless tiles must start at multiples of so many LR pixels",
    },
    "degrader": {"scale": "HR's side over LR's, settings.scale"},
}
_PROBE = torch.full((1, 3, 5, 6), 0.5)


def _fault(module: str, problem: str) -> ConfigError:
    return ConfigError(
        f"srmodels/models/{module}.py: {problem} See `Add a network` in CONTRIBUTING.md."
    )


def network_class(module: ModuleType, name: str) -> type[nn.Module]:
    """The one public network of a module, if its ROLE and Settings are there; else ConfigError."""
    if getattr(module, "ROLE", None) not in _ROLES:
        got = getattr(module, "ROLE", "none")
        raise _fault(name, f"ROLE must be one of {', '.join(_ROLES)} (got {got!r}).")
    settings = getattr(module, "Settings", None)
    if not dataclasses.is_dataclass(settings):
        raise _fault(name, "has no frozen dataclass `Settings`. Add one with the paper's values.")
    if module.ROLE != "discriminator" and "scale" not in {
        field.name for field in dataclasses.fields(settings)
    }:
        raise _fault(name, "Settings has no field `scale`. Add `scale: int = 4`.")
    own = (
        kind
        for kind_name, kind in inspect.getmembers(module, inspect.isclass)
        if kind_name[0] != "_" and kind.__module__ == module.__name__
    )
    networks = [kind for kind in own if issubclass(kind, nn.Module)]
    if len(networks) != 1:
        names = ", ".join(kind.__name__ for kind in networks) or "none"
        raise _fault(
            name, f"must have one public nn.Module (got {names}). Begin other names with _."
        )
    return networks[0]


def check_attributes(network: nn.Module, role: str, name: str) -> None:
    """Raises ConfigError for a network without an attribute that inference or evaluation reads."""
    for attribute, meaning in _NEEDED.get(role, {}).items():
        value = getattr(network, attribute, None)
        if not isinstance(value, int):
            got = "none" if value is None else repr(value)
            raise _fault(
                name,
                f"{type(network).__name__} needs the attribute `{attribute}`, a whole number (got "
                f"{got}). Set self.{attribute}: {meaning}.",
            )


@torch.no_grad()
def check_forward(network: nn.Module, name: str) -> None:
    """Raises ConfigError for a generator whose SR has another shape or type, or is not finite.

    The network is in the mode it was in; random numbers are not drawn.
    """
    training, scale = network.training, int(network.scale)  # type: ignore[arg-type]
    with torch.random.fork_rng(devices=[]):
        sr = network.eval()(_PROBE)
    network.train(training)
    expected = (1, 3, 5 * scale, 6 * scale)
    shape = tuple(sr.shape) if isinstance(sr, torch.Tensor) else type(sr).__name__
    if shape != expected:
        raise _fault(
            name,
            f"forward must return SR of the shape {expected} for LR of the shape "
            f"{tuple(_PROBE.shape)} (got {shape}).",
        )
    if sr.dtype != torch.float32 or not sr.isfinite().all():
        raise _fault(name, f"forward must return finite float32 (got {sr.dtype}, {sr.min()}).")
