"""Any network that spandrel knows, by name: `network: spandrel:HAT`, its hyper-parameters settings.

spandrel (https://github.com/chaiNNer-org/spandrel) has the networks' code; its registry says which
class belongs to a name, the class's signature which hyper-parameters it takes, and its descriptor
of a state dict the scale, the range and the sizes that the network wants. No network has code here.
"""

import copy
import dataclasses
import inspect
import warnings
from functools import cache, partial
from typing import Any, get_args

import torch
from torch import nn

from srmodels.config import one_of
from srmodels.errors import ConfigError
from srmodels.models._layers import check_settings
from srmodels.models._spandrel_network import SpandrelNetwork

PREFIX = "spandrel:"
_SCALE = ("scale", "upscale", "up_scale", "upscale_factor", "upscaling_factor")  # its names
_CHANNELS = ("num_in_ch", "num_out_ch")  # without a default in some signatures


@cache
def _architectures() -> dict[str, tuple[Any, type[nn.Module]]]:
    """By name: the architecture in spandrel, and its network class, or each of its classes.

    Raises:
        ConfigError: spandrel is not installed.
    """
    try:
        from spandrel import MAIN_REGISTRY
    except ImportError:
        raise ConfigError(
            "network: spandrel, which has the code of these networks, is not installed (got "
            f"{PREFIX}...). Run: pip install 'srmodels[community]'"
        ) from None
    found = {}
    for support in MAIN_REGISTRY:
        architecture = support.architecture
        (named,) = get_args(type(architecture).__orig_bases__[0])
        classes = get_args(named) or (named,)
        for network in classes:
            name = str(architecture.id) if len(classes) == 1 else network.__name__
            found[PREFIX + name] = architecture, network
    return found


def names(like: str = "") -> list[str]:
    """The names of the networks that enlarge, sorted, and `like` if it is one that does not.

    A ConfigError if spandrel is not installed.
    """
    return sorted(
        name
        for name, (_, network) in _architectures().items()
        if name == like or inspect.signature(network).parameters.keys() & set(_SCALE)
    )


def _entry(network: str) -> tuple[Any, type[nn.Module]]:
    if network not in _architectures():
        raise ConfigError(one_of("network", network, names()))
    return _architectures()[network]


def _kind(parameter: inspect.Parameter) -> Any:  # noqa: ANN401 - a type for pydantic
    """What a setting may be, by its default: a hyper-parameter's annotation is often missing."""
    plain = isinstance(parameter.default, bool | str | int | float)
    return type(parameter.default) if plain and "|" not in str(parameter.annotation) else Any


@cache
def settings_class(network: str) -> type:
    """A frozen dataclass of the hyper-parameters, and of `scale`; ConfigError for another name."""
    fields: list[Any] = [("scale", int, dataclasses.field(default=4))]
    for name, parameter in inspect.signature(_entry(network)[1]).parameters.items():
        default = 3 if name in _CHANNELS else parameter.default
        if name in _SCALE or (callable(default) and default is not parameter.empty):
            continue  # such as norm_layer
        if default is parameter.empty:
            fields.append((name, Any))
        else:
            listed = list(default) if isinstance(default, list | tuple) else default  # as in YAML
            factory = partial(copy.copy, listed)
            fields.append((name, _kind(parameter), dataclasses.field(default_factory=factory)))
    return dataclasses.make_dataclass(
        network.removeprefix(PREFIX),
        fields,
        frozen=True,
        kw_only=True,
        namespace={"__post_init__": check_settings, "__doc__": f"Hyper-parameters of {network}."},
    )


def build(network: str, settings: Any) -> SpandrelNetwork:  # noqa: ANN401 - of settings_class
    """A newly initialised network.

    Raises:
        ConfigError: The hyper-parameters do not fit each other, or the network does not enlarge RGB
            by `settings.scale`.
    """
    architecture, network_class = _entry(network)
    parameters = inspect.signature(network_class).parameters
    values = {field.name: getattr(settings, field.name) for field in dataclasses.fields(settings)}
    for name in parameters.keys() & set(_SCALE):
        values[name] = (
            settings.scale if isinstance(parameters[name].default, int) else [settings.scale]
        )
    values = {name: value for name, value in values.items() if name in parameters}
    try:
        with warnings.catch_warnings(action="ignore"):  # torch.meshgrid's, from SwinIR
            built = network_class(**values)
            descriptor = architecture.load(dict(built.state_dict()))
        descriptor._model = built.eval()  # a state dict does not tell all hyper-parameters
        scale, channels = descriptor.scale, (descriptor.input_channels, descriptor.output_channels)
        enlarges = (scale, channels) == (settings.scale, (3, 3))
        if enlarges:
            with torch.inference_mode():  # some settings fail first here
                SpandrelNetwork(descriptor)(torch.zeros(1, 3, 16, 16))
    except Exception as error:  # spandrel's networks raise anything
        reason = (str(error.__cause__ or error).strip().splitlines() or [""])[0]
        raise ConfigError(
            f"network: the hyper-parameters of {network} do not fit each other (got "
            f"{type(error.__cause__ or error).__name__}: {reason}). Correct them, as in its paper "
            "or public code."
        ) from error
    if not enlarges:
        raise ConfigError(
            f"network: {network} does not enlarge RGB {settings.scale} times with these settings "
            f"(got scale {scale}, {channels[0]} to {channels[1]} channels). Set scale, its "
            "upsampler and channels, or use another network."
        )
    return SpandrelNetwork(descriptor)
