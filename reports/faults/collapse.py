"""A VAE's divergence summed over the latent beside a mean pixel loss: posterior collapse."""

from dataclasses import replace
from statistics import mean

import numpy as np
import torch
from ruamel.yaml import YAML

from reports.command_line import ROOT
from reports.faults.case import SCALE, Measured, StudyData, detail_sheet
from reports.faults.training import Trained, batches, score_networks, train
from srmodels import models
from srmodels.evaluation.metrics.luma import Picture
from srmodels.evaluation.samples import Sampling, deviation, drawing
from srmodels.inference.generators.generator import Generator
from srmodels.objectives import elbo
from srmodels.params import parse
from srmodels.recipe import Recipe
from srmodels.resize.images import downscale

_LAST = 50  # steps of the mean divergence
_SHOWN = "astronaut"
_SAMPLES = 5
_BRIGHTER = 16  # a standard deviation of 16 grey levels is white
_LABELS = {"ours": "recipe", "summed": "weight 1.0"}  # in the picture


def _train(recipe: Recipe, kl_weight: float, data: StudyData) -> Trained:
    """The recipe's whole pretraining: z is not used yet at half of its steps."""
    training, settings = recipe.pretrain.training, recipe.pretrain.objective.settings
    settings = replace(settings, weights=replace(settings.weights, kl=kl_weight))
    sampler = batches(data, patch_size=training.patch_size, batch_size=training.batch_size)
    torch.manual_seed(0)
    return train(
        models.build(recipe.generator.name, recipe.generator.settings),
        lambda wrapped: elbo.turns({"generator": wrapped}, settings),
        sampler.batch,
        steps=training.steps,
        precision=training.precision,
    )


def measure(data: StudyData) -> Measured:
    """Trainings of srvae with the recipe's weight of the divergence and with 1.0 of its sum."""
    values = YAML(typ="safe").load(ROOT / "params.yaml")
    recipe = parse({**values, "model": "srvae", "preset": "quickstart"}).recipe
    pretrain = recipe.pretrain
    weights = {  # per value of an HR crop, as the objective divides
        "ours": pretrain.objective.settings.weights.kl,
        "summed": 1.0 * 3 * (SCALE * pretrain.training.patch_size) ** 2,
    }
    hr = data.pictures[_SHOWN]
    numbers: dict[str, dict[str, float]] = {}
    shown: dict[str, Picture] = {"HR": hr}
    for name, weight in weights.items():
        trained = _train(recipe, weight, data)
        generator = Generator(network=trained.network, name=recipe.generator.name, scale=SCALE)
        draw = drawing(generator, Sampling(number=_SAMPLES))
        assert draw is not None, f"{recipe.generator.name} has a latent"
        scores = ("psnr_y", "diversity")
        rows = score_networks({name: trained.network}, data, scores, draw=draw)
        numbers[name] = {
            "weight": weight,
            "kl_nats": round(mean(trained.curves["kl_nats"][-_LAST:]), 6),
            "diversity": rows["samples"]["diversity"],
            "psnr_y": rows[name]["psnr_y"],
        }
        samples = draw(downscale(hr, SCALE), 0)
        bright = np.minimum(_BRIGHTER * deviation(samples), 255).astype(np.uint8)
        shown[f"{_LABELS[name]}: a sample"] = samples[0]
        shown[f"{_LABELS[name]}: deviation x {_BRIGHTER}"] = bright
    numbers["training"] = {"steps": pretrain.training.steps}
    return Measured(numbers, detail_sheet(shown))
