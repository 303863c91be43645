"""A generator on its own: pixel loss (or what the recipe's objective says) on aligned patches."""

import logging
import shutil
from collections.abc import Mapping
from pathlib import Path

from torch import nn

from srmodels import models, params, snapshot
from srmodels.distributed.launcher import launch
from srmodels.engine.phase import Phase
from stages import cli_errors
from stages.running import checkpoints, profiling
from stages.training import train
from stages.warm_start import recipe_weights, start_weights

WEIGHTS = Path("weights/pretrained.safetensors")

log = logging.getLogger(__name__)


@cli_errors
def main() -> None:
    """Runs the stage."""
    profile = profiling()
    settings = params.load()
    recipe = settings.recipe
    generator = recipe.generator
    start = start_weights(settings)

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
        best=recipe_weights(settings.model, f"{settings.preset}-best"),
    )
    trained = train(phase, networks, recipe.pretrain.objective, settings, profile=profile)
    if not trained or launch().rank:
        return
    target = recipe_weights(settings.model, settings.preset)
    target.parent.mkdir(parents=True, exist_ok=True)
    shutil.copyfile(WEIGHTS, target)


if __name__ == "__main__":
    main()
