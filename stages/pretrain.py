"""Trains the generator without other networks."""

import logging
import shutil
from collections.abc import Mapping
from pathlib import Path

from torch import nn

from srmodels import models, params, snapshot
from srmodels.distributed.launcher import launch
from srmodels.errors import ConfigError
from stages import PRETRAINED, cli_errors, dvc_root, profile_only
from stages.resume import recipe_weights
from stages.training import train

log = logging.getLogger(__name__)


def initial_weights(settings: params.Params) -> Path | None:
    """The file that `init_from` means.

    Raises:
        ConfigError: There is no such file.
    """
    init_from = settings.recipe.pretrain.init_from
    if init_from is None:
        return None
    where = f"models.{settings.model}.{settings.preset}.pretrain.init_from"
    if not params.is_recipe_name(init_from):
        if (path := dvc_root() / init_from).is_file():
            return path
        raise ConfigError(f"{where}: no such file (got {init_from}). Name a file of weights")
    if (path := recipe_weights(init_from, settings.preset)).is_file():
        return path
    raise ConfigError(
        f"{where}: {init_from} has not been trained in the preset {settings.preset} here "
        f"(got no {path}). Run: dvc exp run -S model={init_from} -S preset={settings.preset}"
    )


@cli_errors
def main() -> None:
    """Runs the stage."""
    profile = profile_only()
    settings = params.load()
    generator, start = settings.recipe.generator, initial_weights(settings)

    def networks() -> Mapping[str, nn.Module]:
        network = models.build(generator.name, generator.settings)
        if start is not None:
            log.info("%s starts from %s", settings.model, start)
            snapshot.warm_start(network, start)
        return {"generator": network}

    trained = train(
        "pretrain",
        settings,
        settings.recipe.pretrain,
        networks,
        seed=settings.seed,
        weights=PRETRAINED,
        best=recipe_weights(settings.model, f"{settings.preset}-best"),
        inputs=[start] if start else [],
        profile=profile,
    )
    if trained and not launch().rank:
        copy = recipe_weights(settings.model, settings.preset)
        copy.parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(PRETRAINED, copy)


if __name__ == "__main__":
    main()
