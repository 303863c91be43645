"""The pretrained and the final generator on whole test pictures: scores, tables, samples."""

import logging
from pathlib import Path

from srmodels import params
from srmodels.data.datasets.benchmarks import find_set
from srmodels.engine.tracking.mlflow_model import log_generator
from srmodels.evaluation.lpips import open_lpips
from srmodels.evaluation.report import BUNDLED, evaluate_sets
from srmodels.evaluation.samples import Sampling
from srmodels.images.readers.folder import whole_images
from srmodels.inference.generators.self_ensemble import add_self_ensemble
from srmodels.inference.weights.open import load_for_evaluation
from srmodels.machine import resolve_device
from srmodels.recipe import Recipe
from stages import cli_errors
from stages.tracking import track, tracker

log = logging.getLogger(__name__)


def perceptual_of(recipe: Recipe) -> str:
    """Whose features the recipe's perceptual loss compares, or "none"."""
    if recipe.adversarial is None:
        return "none"
    settings = recipe.adversarial.objective.settings
    weighs = getattr(getattr(settings, "weights", None), "perceptual", 0)
    return str(settings.perceptual.weights) if weighs else "none"


def alpha_of(alpha: float | None, recipe: Recipe) -> float | None:
    """The mixture to score: none where pretrained and final weights are the same or unrelated."""
    adversarial = recipe.adversarial
    if alpha is None or (adversarial is not None and adversarial.init == "pretrained"):
        return alpha
    log.warning(
        "evaluate.alpha: has no effect (found %g); the recipe has no adversarial phase that begins "
        "with the pretrained weights",
        alpha,
    )
    return None


@cli_errors
def main() -> None:
    """Runs the stage."""
    settings = params.load()
    wanted = settings.evaluate
    alpha = alpha_of(wanted.alpha, settings.recipe)
    device = resolve_device(settings.run.device)
    generators = load_for_evaluation(
        Path("weights/generator.safetensors"),
        pretrained=Path("weights/pretrained.safetensors"),
        alpha=alpha,
        device=device,
        tile=wanted.tile,
    )
    folders = {BUNDLED: Path("data/patches/test")}
    folders |= {name: find_set(each, data=Path("data"))[1] for name, each in wanted.sets.items()}
    evaluate_sets(
        add_self_ensemble(generators) if wanted.self_ensemble else generators,
        {name: whole_images(folder) for name, folder in folders.items()},
        scale=settings.scale,
        root=Path(),
        perceptual=perceptual_of(settings.recipe),
        sampling=Sampling(
            number=wanted.samples, temperature=wanted.temperature, seed=settings.seed
        ),
        alpha=alpha,
        lpips=open_lpips(device=device) if wanted.lpips else None,
    )
    with tracker("evaluate", settings) as watcher:
        track(watcher, Path())
    log_generator(watcher, generators["generator"].network, Path("weights/generator.safetensors"))


if __name__ == "__main__":
    main()
