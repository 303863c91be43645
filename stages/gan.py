"""Trains the generator with the other networks of its objective, if the recipe has that phase."""

import logging
from collections.abc import Mapping
from pathlib import Path

from torch import nn

from srmodels import models, params, snapshot
from srmodels.atomic import write_bytes
from srmodels.distributed.launcher import launch
from srmodels.engine.tracking.curves import write_curves, write_metrics
from srmodels.evaluation.perceptual import open_lpips
from srmodels.machine import resolve_device
from stages import (
    DISCRIMINATOR,
    GENERATOR,
    GENERATOR_BEST,
    PRETRAINED,
    PRETRAINED_BEST,
    cli_errors,
    dvc_root,
    profile_only,
)

log = logging.getLogger(__name__)

_START = "adversarial.init_discriminator_from"


def copy_pretrained(model: str) -> None:
    """Copies the pretrained weights byte for byte, for a recipe without an adversarial phase."""
    log.info("%s has no adversarial phase: %s is %s", model, GENERATOR, PRETRAINED)
    for source, target in ((PRETRAINED, GENERATOR), (PRETRAINED_BEST, GENERATOR_BEST)):
        write_bytes(target, source.read_bytes())
    write_curves("gan", Path("plots"), None)
    write_metrics("gan", {"steps": 0})


@cli_errors
def main() -> None:
    """Runs the stage."""
    profile = profile_only()
    settings = params.load()
    generator, adversarial = settings.recipe.generator, settings.recipe.adversarial
    if adversarial is None:
        if not launch().rank:
            copy_pretrained(settings.model)
        return
    from stages.training import train  # takes seconds, which copying does not need

    pretrained = adversarial.init == "pretrained"
    named = adversarial.init_discriminator_from
    start = None if named is None else dvc_root() / named
    opponents: dict[str, nn.Module] = {}

    def networks() -> Mapping[str, nn.Module]:
        if pretrained:
            network = snapshot.load(PRETRAINED).network
        else:
            network = models.build(generator.name, generator.settings)
        for role, opponent in adversarial.opponents.items():
            opponents[role] = models.build(opponent.name, opponent.settings)
        if start is not None:
            log.info("the discriminator starts from %s", start)
            snapshot.warm_start(opponents["discriminator"], start, where=_START)
        return {"generator": network, **opponents}

    lpips = None
    if settings.evaluate.perceptual:
        lpips = open_lpips(device=resolve_device(settings.run.device))
    train(
        "gan",
        settings,
        adversarial,
        networks,
        seed=settings.seed + 1,  # other batches than the first of the pretraining
        weights=GENERATOR,
        best=GENERATOR_BEST,
        lpips=lpips,
        inputs=[*([PRETRAINED] if pretrained else []), *([start] if start else [])],
        profile=profile,
    )
    if "discriminator" in opponents and not profile and not launch().rank:
        settings_of = adversarial.opponents["discriminator"]
        snapshot.save(
            dvc_root() / DISCRIMINATOR,
            opponents["discriminator"],
            name=settings_of.name,
            settings=settings_of.settings,
        )


if __name__ == "__main__":
    main()
