"""Scores bicubic, the pretrained and the final generator on whole test pictures."""

from pathlib import Path

from srmodels import params
from srmodels.data.datasets.benchmarks import find_set
from srmodels.data.degradation.pictures import DEGRADED, degraded_pictures
from srmodels.data.patches.given_lr import given_lr
from srmodels.engine.tracking.mlflow_model import log_generator
from srmodels.evaluation.perceptual import open_perceptual
from srmodels.evaluation.report import BUNDLED, evaluate_sets
from srmodels.evaluation.samples import Sampling
from srmodels.images.readers.folder import whole_images
from srmodels.inference.generators.self_ensemble import add_self_ensemble
from srmodels.inference.weights.open_weights import load_for_evaluation
from srmodels.machine import resolve_device
from srmodels.recipe import Recipe
from stages import GENERATOR, PATCHES, PRETRAINED, cli_errors
from stages.run_facts import test_set
from stages.tracking import evaluation_tracker, log_evaluation


def perceptual_weights(recipe: Recipe) -> str:
    """The weights of the recipe's perceptual loss ("imagenet", "random"), or "none"."""
    if recipe.adversarial is None:
        return "none"
    settings = recipe.adversarial.objective.settings
    used = getattr(getattr(settings, "weights", None), "perceptual", 0)
    return str(settings.perceptual.weights) if used else "none"


def strengths_of(strengths: tuple[float, ...], recipe: Recipe) -> tuple[float, ...]:
    """`strengths`, or none if pretrained and final weights are the same or unrelated."""
    adversarial = recipe.adversarial
    return strengths if adversarial is not None and adversarial.init == "pretrained" else ()


@cli_errors
def main() -> None:
    """Runs the stage."""
    settings = params.load()
    options, recipe = settings.evaluate, settings.recipe
    strengths = strengths_of(options.strengths, recipe)
    device = resolve_device(settings.run.device)
    generators = load_for_evaluation(
        GENERATOR, pretrained=PRETRAINED, strengths=strengths, device=device, tile=options.tile
    )
    folders = {BUNDLED: PATCHES / "test"}
    for name, photos in options.sets.items():
        folders[name] = find_set(photos, data=Path("data"))[1]
    sets = {name: whole_images(folder) for name, folder in folders.items()}
    degraded = {name: degraded_pictures(sets[name], settings.scale) for name in options.degraded}
    own_lr = given_lr(folders[BUNDLED])
    sets |= {name + DEGRADED: sets[name] for name in degraded}
    with evaluation_tracker(settings) as watcher:
        evaluate_sets(
            add_self_ensemble(generators) if options.self_ensemble else generators,
            sets,
            scale=settings.scale,
            root=Path(),
            features=perceptual_weights(recipe),
            sampling=Sampling(
                number=options.samples, temperature=options.temperature, seed=settings.seed
            ),
            strengths=strengths,
            lr={BUNDLED: own_lr} if own_lr else None,
            degraded={name + DEGRADED: lr for name, lr in degraded.items()},
            perceptual=open_perceptual(
                device=device, only_lpips=options.perceptual == "lpips", niqe=options.niqe
            )
            if options.perceptual
            else None,
        )
        log_evaluation(watcher, Path(), test_set=test_set(settings).name)
    log_generator(watcher, generators["generator"].network, GENERATOR)


if __name__ == "__main__":
    main()
