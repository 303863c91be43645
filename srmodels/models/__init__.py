"""The networks, one a module, found by module name; a module that begins with _ is none.

Every network module has these names: `ROLE` ("generator", "degrader" or "discriminator"),
`Settings` (a frozen dataclass; a generator's and a degrader's have `scale`), the network's class,
and `build(settings)`; a generator that is a VAE also `LATENT = True`.

A generator: `forward(lr)` gives SR, (N, 3, H, W) in [0, 1] to (N, 3, scale * H, scale * W), not
clamped, for every H and W; `scale`; `padding`, the LR pixels a tile needs around itself for its
interior to be exact; `multiple`, the LR pixels a tile's place must be a multiple of (mostly 1).
A discriminator: `forward(images)` gives logits, (N, 3, H, W) in [0, 1] to (N, 1) or (N, 1, h, w).
"""

from importlib import import_module
from types import ModuleType

from torch import nn

from srmodels.config import one_of
from srmodels.errors import ConfigError
from srmodels.models._modules import constant_in, modules_in

__all__ = ["build", "latent", "names", "settings_class"]


def names(role: str | None = None) -> list[str]:
    """The networks there are, sorted; with a role ("generator", "discriminator"), those only."""
    found = modules_in(__path__)
    return [n for n in found if role is None or constant_in(f"{__name__}.{n}", "ROLE") == role]


def latent(network: str) -> bool:
    """Whether a generator is a VAE, with a posterior, a prior and samples."""
    return constant_in(f"{__name__}.{network}", "LATENT") is True


def _module(network: str, where: str) -> ModuleType:
    if network not in names():
        raise ConfigError(one_of(where, network, names()))
    return import_module(f"{__name__}.{network}")


def settings_class(network: str, where: str = "network") -> type:
    """The dataclass that a network's settings fit.

    Args:
        network: The network's name, which is its module's.
        where: The key that named it, for the error.

    Raises:
        ConfigError: There is no such network.
    """
    kind: type = _module(network, where).Settings
    return kind


def build(network: str, settings: object) -> nn.Module:
    """A freshly initialised network.

    Args:
        network: The network's name, which is its module's.
        settings: An instance of that module's Settings.

    Raises:
        ConfigError: There is no such network.
    """
    module = _module(network, "network")
    assert isinstance(settings, module.Settings), f"{network} takes its own Settings"
    built: nn.Module = module.build(settings)
    return built
