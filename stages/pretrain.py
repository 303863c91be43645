"""Trains the generator without other networks."""

import logging
from collections.abc import Mapping
from pathlib import Path

from torch import nn

from srmodels import models, params, snapshot
from stages import PRETRAINED, PRETRAINED_BEST, cli_errors, profile_only
from stages.training import train

log = logging.getLogger(__name__)


@cli_errors
def main() -> None:
    """Runs the stage."""
    profile = profile_only()
    settings = params.load()
    generator = settings.recipe.generator
    start = None if settings.init_from == params.RANDOM else Path(settings.init_from)

    def networks() -> Mapping[str, nn.Module]:
        network = models.build(generator.name, generator.settings)
        if start is not None:
            log.info("%s starts from %s", settings.model, start)
            snapshot.warm_start(network, start)
        return {"generator": network}

    train(
        "pretrain",
        settings,
        settings.recipe.pretrain,
        networks,
        seed=settings.seed,
        weights=PRETRAINED,
        best=PRETRAINED_BEST,
        inputs=[start] if start else [],
        profile=profile,
    )


if __name__ == "__main__":
    main()
