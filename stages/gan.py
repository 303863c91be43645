"""The generator against its opponents; models without that phase pass through."""

import logging
import shutil
from collections.abc import Mapping
from pathlib import Path

from torch import nn

from srmodels import models, objectives, params, snapshot
from srmodels.engine.outputs import write_curves, write_metrics
from srmodels.engine.phase import Phase, train_phase
from srmodels.engine.profile import profile_phase
from srmodels.inference.upscale import upscaler
from srmodels.launcher import launch
from stages import guard
from stages.pretrain import WEIGHTS as PRETRAINED
from stages.running import checkpoints, profiling, turns_by, watcher

WEIGHTS = Path("weights/generator.safetensors")

log = logging.getLogger(__name__)


def pass_through(model: str) -> None:
    """Hands the pretrained weights on byte for byte where a recipe has no adversarial phase."""
    log.info("%s has no adversarial phase: %s is %s", model, WEIGHTS, PRETRAINED)
    shutil.copyfile(PRETRAINED, WEIGHTS)
    write_curves("gan", Path("plots"), None)
    write_metrics("gan", {"steps": 0})


@guard
def main() -> None:
    """Runs the stage."""
    settings = params.load()
    adversarial = settings.recipe.adversarial
    if adversarial is None:
        if not launch().rank:
            pass_through(settings.model)
        return
    generator, objective = settings.recipe.generator, adversarial.objective
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
        paired=objectives.paired(objective.name),
    )
    turns_of = turns_by(objective)
    if profiling():
        log.info(profile_phase(phase, networks, turns_of, run=settings.run).table())
        return
    with watcher("gan", settings) as told:
        train_phase(
            phase,
            networks,
            turns_of,
            upscale=upscaler(settings.scale),
            run=settings.run,
            watcher=told,
        )


if __name__ == "__main__":
    main()
