"""The generator against its opponents; models without that phase pass through."""

import logging
import shutil
from collections.abc import Mapping
from pathlib import Path

from torch import nn

from srmodels import models, objectives, params, snapshot
from srmodels.distributed.launcher import launch
from srmodels.engine.phase import Phase
from srmodels.engine.tracking.curves import write_curves, write_metrics
from stages import cli_errors
from stages.pretrain import WEIGHTS as PRETRAINED
from stages.running import checkpoints, profiling
from stages.training import train

WEIGHTS = Path("weights/generator.safetensors")

log = logging.getLogger(__name__)


def pass_through(model: str) -> None:
    """Hands the pretrained weights on byte for byte where a recipe has no adversarial phase."""
    log.info("%s has no adversarial phase: %s is %s", model, WEIGHTS, PRETRAINED)
    shutil.copyfile(PRETRAINED, WEIGHTS)
    write_curves("gan", Path("plots"), None)
    write_metrics("gan", {"steps": 0})


@cli_errors
def main() -> None:
    """Runs the stage."""
    profile = profiling()
    settings = params.load()
    adversarial = settings.recipe.adversarial
    if adversarial is None:
        if not launch().rank:
            pass_through(settings.model)
        return
    generator = settings.recipe.generator
    pretrained = adversarial.init == "pretrained"

    def networks() -> Mapping[str, nn.Module]:
        if pretrained:
            network = snapshot.load(PRETRAINED).network
        else:
            network = models.build(generator.name, generator.settings)
        others = adversarial.opponents.items()
        return {
            "generator": network,
            **{role: models.build(each.name, each.settings) for role, each in others},
        }

    used = {
        "seed": settings.seed,
        "scale": settings.scale,
        "generator": generator,
        "adversarial": adversarial,
    }
    phase = Phase(
        name="gan",
        settings=adversarial.training,
        seed=settings.seed + 1,  # other batches than the pretraining saw first
        scale=settings.scale,
        patches=Path("data/patches"),
        checkpoints=checkpoints("gan", settings, used, [PRETRAINED] if pretrained else []),
        network=generator.name,
        network_settings=generator.settings,
        weights=WEIGHTS,
        paired=objectives.paired(adversarial.objective.name),
    )
    train(phase, networks, adversarial.objective, settings, profile=profile)


if __name__ == "__main__":
    main()
