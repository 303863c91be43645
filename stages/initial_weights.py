"""Whether the weights of init_from fit the recipe's generator, before DVC deletes earlier ones."""

import dataclasses
import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from safetensors import safe_open

from srmodels import models, params, snapshot
from srmodels.config import shown
from srmodels.errors import ConfigError

__all__ = ["check_start"]


def _origin(path: Path) -> tuple[str, Mapping[str, Any]]:
    """The network and the settings in a snapshot's header; "" and {} for another file."""
    if not snapshot.is_ours(path):
        return "", {}
    with safe_open(path, framework="pt") as file:
        text = file.metadata()["srmodels"]
    try:
        spec = json.loads(text)
        return str(spec["network"]), dict(spec["settings"])
    except (ValueError, TypeError, KeyError):
        return "", {}


def check_start(settings: params.Params) -> None:
    """Raises if the file of init_from does not fit the generator.

    A snapshot's header usually tells that it fits. Otherwise the weights are tried, as in the
    stage pretrain: a network under another name can have the same layers.

    Raises:
        ConfigError: Names what differs.
        WeightsError: The file holds no weights.
    """
    path, generator = Path(settings.init_from), settings.recipe.generator
    network, theirs = _origin(path)
    ours = json.loads(json.dumps(dataclasses.asdict(generator.settings)))
    if (network, theirs) == (generator.name, ours):
        return
    try:
        snapshot.warm_start(models.build(generator.name, generator.settings), path)
    except ConfigError:
        if not network:
            raise
        if network != generator.name:
            raise ConfigError(
                f"init_from: is of {network}, but {settings.model} has {generator.name} (got "
                f"{str(path)!r}). Use weights of {generator.name}, or a recipe with {network}."
            ) from None
        keys = [key for key in ours if theirs.get(key) != ours[key]]
        if not keys:  # the layers have changed since
            raise
        had = ", ".join(f"{key}={shown(theirs.get(key))}" for key in keys)
        has = ", ".join(f"{key}={shown(ours[key])}" for key in keys)
        raise ConfigError(
            f"init_from: is of {network} with {had}, but {settings.model} has {has} (got "
            f"{str(path)!r}). Use weights of these settings, or change "
            f"models.{settings.model}.{settings.preset}.generator."
        ) from None
