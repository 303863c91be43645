"""A divergence that is summed beside a loss that is not: the posterior collapses."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from statistics import mean

import numpy as np
import torch
from ruamel.yaml import YAML
from torch import nn

from reports.faults.case import Fault, Measured
from reports.faults.dataset import SCALE, StudyData
from reports.faults.training import Trained, batches, scored, train
from srmodels import models
from srmodels.evaluation.luma import Picture
from srmodels.evaluation.pictures import CROP, most_detailed_crop, sheet
from srmodels.evaluation.samples import Draw, Sampling, deviation, drawing
from srmodels.inference.generators.generator import Generator
from srmodels.objectives.elbo import elbo_turns
from srmodels.params import parse
from srmodels.recipe import Recipe
from srmodels.resize.images import downscale

__all__ = ["COLLAPSE"]

_PARAMS = Path(__file__).parents[2] / "params.yaml"
_LAST = 50  # steps a mean is taken over
_SHOWN = "astronaut"
_SAMPLES = 5
_BRIGHTER = 16  # a standard deviation of 16 grey levels is white

_NAMES = {"ours": "recipe", "summed": "weight 1.0"}


def _recipe() -> Recipe:
    values = YAML(typ="safe").load(_PARAMS)
    return parse({**values, "model": "srvae", "preset": "quickstart"}).recipe


def _weights(recipe: Recipe) -> Mapping[str, float]:
    """The divergence's weight, in the objective's unit: KL over the values of an HR picture."""
    values = 3 * (SCALE * recipe.pretrain.training.patch_size) ** 2
    return {
        "ours": recipe.pretrain.objective.settings.weights.kl,
        "summed": 1.0 * values,  # 1.0 of the sum, beside a mean over pixels
    }


def _trained(recipe: Recipe, weight: float, ground: StudyData) -> Trained:
    """The recipe's pretraining, whole: after half of it its own weight has no use for z either."""
    training, found = recipe.pretrain.training, recipe.pretrain.objective.settings
    settings = replace(found, weights=replace(found.weights, kl=weight))
    source = batches(ground, patch_size=training.patch_size, batch_size=training.batch_size)
    torch.manual_seed(0)
    return train(
        models.build(recipe.generator.name, recipe.generator.settings),
        lambda wrapped: elbo_turns(wrapped, settings, None),
        source.batch,
        steps=training.steps,
        precision=training.precision,
    )


def _samples(recipe: Recipe, network: nn.Module) -> Draw:
    generator = Generator(network=network, name=recipe.generator.name, scale=SCALE)
    draw = drawing(generator, Sampling(number=_SAMPLES))
    assert draw is not None, f"{recipe.generator.name} has a latent"
    return draw


def _map(samples: Sequence[Picture]) -> Picture:
    """Where samples differ, on the same scale for every way."""
    bright: Picture = np.minimum(_BRIGHTER * deviation(samples), 255).astype(np.uint8)
    return bright


def _measure(ground: StudyData) -> Measured:
    recipe = _recipe()
    hr = ground.pictures[_SHOWN]
    numbers: dict[str, dict[str, float]] = {}
    shown: dict[str, Picture] = {"HR": hr}
    for way, weight in _weights(recipe).items():
        trained = _trained(recipe, weight, ground)
        draw = _samples(recipe, trained.network)
        found = scored({way: trained.network}, ground, ("psnr_y", "diversity"), draw=draw)
        numbers[way] = {
            "weight": weight,
            "kl_nats": round(mean(trained.curves["kl_nats"][-_LAST:]), 6),
            "diversity": found["samples"]["diversity"],
            "psnr_y": found[way]["psnr_y"],
        }
        samples = draw(downscale(hr, SCALE), 0)
        shown[f"{_NAMES[way]}: a sample"] = samples[0]
        shown[f"{_NAMES[way]}: deviation x {_BRIGHTER}"] = _map(samples)
    numbers["training"] = {"steps": recipe.pretrain.training.steps}
    return Measured(
        numbers, sheet(shown, corner=most_detailed_crop(hr, CROP, multiple=SCALE), crop=CROP)
    )


COLLAPSE = Fault(
    name="collapse",
    title="KL weight 1.0",
    text="""A VAE's loss is written as the mean L1 over pixels plus 1.0 times the divergence summed
over the latent, as the formula seems to say. The formula sums the pixels as well: beside a mean
over the {summed[weight]:,.0f} values of an HR crop the divergence weighs so many times too much,
and no detail of HR is worth its price. The posterior becomes the prior, the generator learns to
look past z, and all samples are nearly one picture: after {training[steps]:.0f} steps a diversity
of {summed[diversity]:.3f} grey levels, at {summed[kl_nats]:.2f} nats an image, against
{ours[diversity]:.3f} and {ours[kl_nats]:.0f} with the weight of the recipe srvae and nothing else
changed. PSNR-Y of the mean latent hardly tells ({summed[psnr_y]:.2f} and {ours[psnr_y]:.2f} dB).
What tells is the diversity, which stands in the table of every generator that has samples, and the
divergence in nats, which is a curve of every run. Here the divergence is divided by the number of
values that the pixel loss averages over, so that its weight is a scale of the likelihood.""",
    ways={
        "ours": "the recipe's weight, per value",
        "summed": "1.0 of the sum beside a mean L1",
    },
    columns={
        "weight": ("weight per value", 2),
        "kl_nats": ("divergence (nats an image)", 2),
        "diversity": ("diversity (of 255)", 3),
        "psnr_y": ("PSNR-Y of the mean latent (dB)", 2),
    },
    tests=(
        "tests/objectives/test_elbo.py::test_the_terms_equal_the_elbo_written_out",
        "tests/objectives/test_elbo.py::test_a_latent_that_is_worth_its_nats_carries_hr",
        "tests/evaluation/test_scores.py::test_samples_are_a_row_of_mean_scores_and_their_diversity",
    ),
    picture="HR; for each weight a sample, and where five samples differ",
    measure=_measure,
)
