"""A generator on its own: pixel loss (or what the recipe's objective says) on aligned patches."""

from pathlib import Path

from srmodels import models, objectives, params
from srmodels.engine.phase import Phase, train_phase
from srmodels.inference.upscale import upscaler
from stages import guard
from stages.running import resume_folder, tracker

WEIGHTS = Path("weights/pretrained.safetensors")


@guard
def main() -> None:
    """Runs the stage."""
    settings = params.load()
    recipe = settings.recipe
    generator, objective = recipe.generator, recipe.pretrain.objective
    phase = Phase(
        name="pretrain",
        settings=recipe.pretrain.training,
        seed=settings.seed,
        scale=settings.scale,
        patches=Path("data/patches"),
        resume=resume_folder(
            "pretrain", settings, [settings.seed, settings.scale, generator, recipe.pretrain]
        ),
        network=generator.name,
        network_settings=generator.settings,
        weights=WEIGHTS,
    )
    with tracker("pretrain", settings) as watcher:
        train_phase(
            phase,
            lambda: {"generator": models.build(generator.name, generator.settings)},
            lambda networks, device: objectives.turns(
                objective.name, networks, objective.settings, device
            ),
            upscale=upscaler(settings.scale),
            run=settings.run,
            watcher=watcher,
        )


if __name__ == "__main__":
    main()
