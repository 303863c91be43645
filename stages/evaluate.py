"""Scores bicubic, the pretrained and the final generator on whole test pictures."""

import logging
from pathlib import Path

from srmodels import params
from srmodels.data.datasets.benchmarks import find_set
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
from stages.tracking import evaluation_tracker, log_evaluation

log = logging.getLogger(__name__)


def perceptual_weights(recipe: Recipe) -> str:
    """The weights of the recipe's perceptual loss ("imagenet", "random"), or "none"."""
    if recipe.adversarial is None:
        return "none"
    settings = recipe.adversarial.objective.settings
    used = getattr(getattr(settings, "weights", None), "perceptual", 0)
    return str(settings.perceptual.weights) if used else "none"


def alpha_of(alpha: float | None, recipe: Recipe) -> float | None:
    """`alpha`, or None if pretrained and final weights are the same or unrelated."""
    adversarial = recipe.adversarial
    if alpha is None or (adversarial is not None and adversarial.init == "pretrained"):
        return alpha
    log.warning(
        "evaluate.alpha: has no effect (got %g), because the recipe has no adversarial phase that "
        "starts from the pretrained weights",
        alpha,
    )
    return None


@cli_errors
def main() -> None:
    """Runs the stage."""
    settings = params.load()
    options, recipe = settings.evaluate, settings.recipe
    alpha = alpha_of(options.alpha, recipe)
    device = resolve_device(settings.run.device)
    generators = load_for_evaluation(
        GENERATOR, pretrained=PRETRAINED, alpha=alpha, device=device, tile=options.tile
    )
    folders = {BUNDLED: PATCHES / "test"}
    for name, photos in options.sets.items():
        folders[name] = find_set(photos, data=Path("data"))[1]
    with evaluation_tracker(settings) as watcher:
        evaluate_sets(
            add_self_ensemble(generators) if options.self_ensemble else generators,
            {name: whole_images(folder) for name, folder in folders.items()},
            scale=settings.scale,
            root=Path(),
            features=perceptual_weights(recipe),
            sampling=Sampling(
                number=options.samples, temperature=options.temperature, seed=settings.seed
            ),
            alpha=alpha,
            perceptual=open_perceptual(device=device) if options.perceptual else None,
        )
        log_evaluation(watcher, settings)
    log_generator(watcher, generators["generator"].network, GENERATOR)


if __name__ == "__main__":
    main()
