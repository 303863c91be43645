"""Small versions of every network, for fast tests."""

import dataclasses

import pytest

from srmodels import models

SMALLER = {
    "num_blocks": 2,
    "channels": 8,
    "growth_channels": 4,
    "latent_channels": 4,
    "window_size": 8,
    "patch_size": 32,
    "depths": (2,),
    "num_heads": (2,),
}


@pytest.fixture
def small_settings():
    """A function that makes a network's settings: defaults, smaller where SMALLER has values."""

    def make(network: str, **changes: object) -> object:
        defaults = models.settings_class(network)()
        kinds = {f.name: type(f.default) for f in dataclasses.fields(defaults)}
        smaller = {k: v for k, v in SMALLER.items() if kinds.get(k) is type(v)}
        return dataclasses.replace(defaults, **(smaller | changes))

    return make
