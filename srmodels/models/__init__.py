"""Networks, one per module, found by module name; modules that begin with _ are shared code.

A network module has `ROLE` ("generator", "degrader" or "discriminator"), `Settings` (a frozen
dataclass; generators and degraders have `scale`) and one public class, the network, which is made
from Settings; a generator that is a VAE also has `LATENT = True`. Images are in [0, 1].

Generator: `forward(lr)` maps (N, 3, H, W) to SR (N, 3, scale * H, scale * W), not clamped, for
every H and W. `padding`: LR pixels around a tile that make its interior exact. `multiple`: tiles
start at multiples of so many LR pixels. Discriminator: `forward(images)` maps (N, 3, H, W) to
logits (N, 1) or (N, 1, h, w).

`spandrel:HAT` and the like are generators in spandrel's code, with its hyper-parameters as settings
(`_spandrel`).
"""

from importlib import import_module

from torch import nn

from srmodels.models._contract import check_attributes, check_forward, network_class
from srmodels.models._modules import constant_in, import_named, modules_in

__all__ = [
    "build",
    "check_forward",
    "is_generator",
    "known_names",
    "latent",
    "module_of",
    "names",
    "settings_class",
]

_SPANDREL = "spandrel:"  # begins the names of networks in spandrel's code, all of them generators


def names(role: str | None = None) -> list[str]:
    """Sorted names of all networks, or of those with a role."""
    networks = modules_in(__path__)
    return [n for n in networks if role is None or constant_in(f"{__name__}.{n}", "ROLE") == role]


def known_names(role: str, like: object) -> list[str]:
    """The names that a network of a role may have: spandrel's, if `like` is one, or else ours."""
    if role == "generator" and isinstance(like, str) and like.startswith(_SPANDREL):
        known: list[str] = import_module(module_of(like)).names(like)
        return known
    return names(role)


def is_generator(network: str) -> bool:
    """Whether a network of this name enlarges pictures."""
    return network.startswith(_SPANDREL) or network in names("generator")


def module_of(network: str) -> str:
    """The module with a network's code."""
    return f"{__name__}.{'_spandrel' if network.startswith(_SPANDREL) else network}"


def latent(network: str) -> bool:
    """Whether a generator is a VAE, with a posterior, a prior and samples."""
    return constant_in(module_of(network), "LATENT") is True


def settings_class(network: str) -> type:
    """The Settings class of a network; a ConfigError if there is none of this name."""
    settings: type
    if network.startswith(_SPANDREL):
        settings = import_module(module_of(network)).settings_class(network)
        return settings
    module = import_named(__name__, network, names(), "network")
    network_class(module, network)
    settings = module.Settings
    return settings


def build(network: str, settings: object) -> nn.Module:
    """A newly initialised network from its Settings.

    Raises:
        ConfigError: There is none of this name, or it lacks what the pipeline needs.
    """
    built: nn.Module
    if network.startswith(_SPANDREL):
        built = import_module(module_of(network)).build(network, settings)
        return built
    module = import_named(__name__, network, names(), "network")
    kind = network_class(module, network)
    assert isinstance(settings, module.Settings), f"{network} takes its own Settings"
    built = kind(settings)
    check_attributes(built, module.ROLE, network)
    return built
