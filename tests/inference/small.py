"""Small versions of the networks, for tests that run or save all of them."""

import dataclasses

from torch import nn

from srmodels import models

_SMALLER = {
    "num_blocks": 1,
    "channels": 8,
    "growth_channels": 4,
    "patch_size": 32,
    "edge_kernel": 5,
    "depths": (2,),
    "num_heads": (2,),
}


def small_settings(network: str, **changes: object) -> object:
    """The defaults, smaller where they are of the usual kind."""
    defaults = models.settings_class(network)()
    kinds = {field.name: type(field.default) for field in dataclasses.fields(defaults)}
    smaller = {key: each for key, each in _SMALLER.items() if kinds.get(key) is type(each)}
    return dataclasses.replace(defaults, **(smaller | changes))


def small(network: str, **changes: object) -> nn.Module:
    """A small network in eval mode, with random weights."""
    return models.build(network, small_settings(network, **changes)).eval()
