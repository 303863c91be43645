"""The pretrained and the final generator on whole test pictures: scores, tables, samples."""

import json
from itertools import product
from pathlib import Path

import numpy as np
from PIL import Image

from srmodels import params
from srmodels.data.source import whole_images
from srmodels.engine.tracking import Tracker
from srmodels.evaluation.report import BUNDLED, evaluate_sets
from srmodels.inference.device import device_named
from srmodels.inference.generator import load
from srmodels.params import Recipe
from stages import guard
from stages.running import tracker


def perceptual_of(recipe: Recipe) -> str:
    """Whose features the recipe's perceptual loss compares, or "none"."""
    if recipe.adversarial is None:
        return "none"
    settings = recipe.adversarial.objective.settings
    weighs = getattr(getattr(settings, "weights", None), "perceptual", 0)
    return str(settings.perceptual.weights) if weighs else "none"


def track(watcher: Tracker, root: Path) -> None:
    """Sends scores, samples, and the curves of stages that DVC took from its cache."""
    for name, stage in product(("", "_validation"), ("pretrain", "gan")):
        watcher.replay(root / "plots" / f"{stage}{name}.csv", stage)
    metrics = json.loads((root / "metrics" / "evaluate.json").read_text(encoding="utf-8"))
    for name in metrics.keys() - {"protocol", "perceptual", "parameters"}:
        for model, scores in metrics[name].items():
            watcher.log(0, {f"{name}/{model}/{each}": value for each, value in scores.items()})
    for path in sorted((root / "samples").glob("*.png")):
        watcher.picture(path.stem, np.asarray(Image.open(path).convert("RGB")), 0)
    watcher.finish()


@guard
def main() -> None:
    """Runs the stage."""
    settings = params.load()
    device = device_named(settings.run.device)
    generators = {
        name: load(
            Path("weights") / f"{name}.safetensors", device=device, tile=settings.evaluate.tile
        )
        for name in ("pretrained", "generator")
    }
    further = {name: Path(folder) for name, folder in settings.evaluate.sets.items()}
    folders = {BUNDLED: Path("data/patches/test"), **further}
    sets = {name: whole_images(folder) for name, folder in folders.items()}
    perceptual = perceptual_of(settings.recipe)
    evaluate_sets(generators, sets, scale=settings.scale, root=Path(), perceptual=perceptual)
    with tracker("evaluate", settings) as watcher:
        track(watcher, Path())


if __name__ == "__main__":
    main()
