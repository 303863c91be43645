"""The pretrained generator against its discriminator; models without that phase pass through."""

import logging
import shutil
from pathlib import Path

from srmodels import models, objectives, params, snapshot
from srmodels.engine.phase import Phase, train_phase, write_curves, write_metrics
from srmodels.inference.upscale import upscaler
from stages import guard
from stages.pretrain import WEIGHTS as PRETRAINED
from stages.running import resume_folder, tracker

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
        pass_through(settings.model)
        return
    start = snapshot.load(PRETRAINED)
    discriminator, objective = adversarial.discriminator, adversarial.objective
    phase = Phase(
        name="gan",
        settings=adversarial.training,
        seed=settings.seed + 1,  # other batches than the pretraining saw first
        scale=settings.scale,
        patches=Path("data/patches"),
        resume=resume_folder(
            "gan", settings, [settings.seed, settings.scale, adversarial], [PRETRAINED]
        ),
        network=start.name,
        network_settings=start.settings,
        weights=WEIGHTS,
    )
    with tracker("gan", settings) as watcher:
        train_phase(
            phase,
            lambda: {
                "generator": start.network,
                "discriminator": models.build(discriminator.name, discriminator.settings),
            },
            lambda networks, device: objectives.turns(
                objective.name, networks, objective.settings, device
            ),
            upscale=upscaler(settings.scale),
            run=settings.run,
            watcher=watcher,
        )


if __name__ == "__main__":
    main()
