"""Where a recipe's pretrained weights stay, and which file `init_from` means."""

from pathlib import Path

from srmodels.errors import ConfigError
from srmodels.params import Params, names_recipe
from stages.running import repository

__all__ = ["recipe_weights", "start_weights"]


def recipe_weights(model: str, preset: str) -> Path:
    """Where a recipe's pretrained weights stay when another recipe runs."""
    return repository() / "weights" / "recipes" / f"{model}-{preset}.safetensors"


def start_weights(settings: Params) -> Path | None:
    """The file of weights that `init_from` means.

    Raises:
        ConfigError: It is not there.
    """
    init_from = settings.recipe.pretrain.init_from
    if init_from is None:
        return None
    where = f"models.{settings.model}.{settings.preset}.pretrain.init_from"
    if not names_recipe(init_from):
        if (path := repository() / init_from).is_file():
            return path
        raise ConfigError(f"{where}: no such file (found {init_from}); a file of weights is right")
    if (path := recipe_weights(init_from, settings.preset)).is_file():
        return path
    raise ConfigError(
        f"{where}: {init_from} has not been trained in the preset {settings.preset} here (there is "
        f"no {path}); first: dvc exp run -S model={init_from} -S preset={settings.preset}"
    )
