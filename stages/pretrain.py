"""Trains the generator without other networks."""

import logging
from collections.abc import Mapping
from pathlib import Path

from torch import nn

from srmodels import models, params, snapshot
from srmodels.distributed.launcher import launch
from srmodels.engine.tracking.curves import write_curves, write_metrics
from srmodels.recipe import Network
from stages import PRETRAINED, PRETRAINED_BEST, cli_errors, profile_only

log = logging.getLogger(__name__)


def keep_start(network: nn.Module, generator: Network) -> None:
    """Writes the weights that the generator starts from, for a pretraining of 0 steps."""
    log.info("no pretraining: %s has the weights of init_from", PRETRAINED)
    for path in (PRETRAINED, PRETRAINED_BEST):
        snapshot.save(path, network, name=generator.name, settings=generator.settings)
    write_curves("pretrain", Path("plots"), None)
    write_metrics("pretrain", {"steps": 0})


@cli_errors
def main() -> None:
    """Runs the stage."""
    profile = profile_only()
    settings = params.load()
    generator = settings.recipe.generator
    start = None if settings.init_from == params.RANDOM else Path(settings.init_from)

    def networks() -> Mapping[str, nn.Module]:
        network = models.build(generator.name, generator.settings)
        models.check_forward(network, generator.name)
        if start is not None:
            log.info("%s starts from %s", settings.model, start)
            snapshot.warm_start(network, start)
        return {"generator": network}

    if not settings.recipe.pretrain.training.steps:
        if not launch().rank:
            keep_start(networks()["generator"], generator)
        return
    from stages.training import train  # takes seconds, which keeping the weights does not need

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
