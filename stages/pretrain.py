"""A generator on its own: pixel loss (or what the recipe's objective says) on aligned patches."""

import logging
import shutil
from collections.abc import Mapping
from pathlib import Path

from torch import nn

from srmodels import models, params, snapshot
from srmodels.engine.phase import Phase, train_phase
from srmodels.engine.profile import profile_phase
from srmodels.errors import ConfigError
from srmodels.inference.upscale import upscaler
from srmodels.launcher import launch
from srmodels.params import Params, names_recipe
from stages import guard
from stages.running import checkpoints, profiling, repository, turns_by, watcher

WEIGHTS = Path("weights/pretrained.safetensors")

log = logging.getLogger(__name__)


def kept(model: str, preset: str) -> Path:
    """Where a recipe's pretrained weights stay when another recipe runs."""
    return repository() / "weights" / "recipes" / f"{model}-{preset}.safetensors"


def start_of(settings: Params) -> Path | None:
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
    if (path := kept(init_from, settings.preset)).is_file():
        return path
    raise ConfigError(
        f"{where}: {init_from} has not been trained in the preset {settings.preset} here (there is "
        f"no {path}); first: dvc exp run -S model={init_from} -S preset={settings.preset}"
    )


@guard
def main() -> None:
    """Runs the stage."""
    settings = params.load()
    recipe = settings.recipe
    generator, objective = recipe.generator, recipe.pretrain.objective
    start = start_of(settings)

    def networks() -> Mapping[str, nn.Module]:
        network = models.build(generator.name, generator.settings)
        if start is not None:
            log.info("%s starts from %s", settings.model, start)
            snapshot.warm_start(network, start)
        return {"generator": network}

    used = {
        "seed": settings.seed,
        "scale": settings.scale,
        "generator": generator,
        "pretrain": recipe.pretrain,
    }
    phase = Phase(
        name="pretrain",
        settings=recipe.pretrain.training,
        seed=settings.seed,
        scale=settings.scale,
        patches=Path("data/patches"),
        checkpoints=checkpoints("pretrain", settings, used, [start] if start else []),
        network=generator.name,
        network_settings=generator.settings,
        weights=WEIGHTS,
        best=kept(settings.model, f"{settings.preset}-best"),
    )
    turns_of = turns_by(objective)
    if profiling():
        log.info(profile_phase(phase, networks, turns_of, run=settings.run).table())
        return
    with watcher("pretrain", settings) as told:
        train_phase(
            phase,
            networks,
            turns_of,
            upscale=upscaler(settings.scale),
            run=settings.run,
            watcher=told,
        )
    if launch().rank:
        return
    target = kept(settings.model, settings.preset)
    target.parent.mkdir(parents=True, exist_ok=True)
    shutil.copyfile(WEIGHTS, target)


if __name__ == "__main__":
    main()
