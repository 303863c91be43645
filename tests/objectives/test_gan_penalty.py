"""The gradient penalty as a term of the discriminator's turn."""

import pytest
import torch

from srmodels import models
from srmodels.config import check
from srmodels.data.batches.batch import Batch
from srmodels.errors import ConfigError
from srmodels.objectives.gan import GanWeights, gan_turns
from srmodels.objectives.gan import Settings as GanSettings

BATCH = Batch(lr=torch.rand(2, 3, 6, 6), hr=torch.rand(2, 3, 24, 24), photos=("a", "b"))


def make(network, **settings):
    return models.build(network, models.settings_class(network)(**settings))


@pytest.fixture
def networks():
    small = {"num_blocks": 1, "channels": 8, "norm": "none", "edge_kernel": 3}
    return make("srresnet", **small), make("patch_discriminator", channels=8, num_stages=2)


def discriminate(networks, step=None, **settings):
    """The terms of the discriminator's turn, after the generator's."""
    weights = GanWeights(pixel=1.0, perceptual=0.0)
    settings = GanSettings(weights=weights, perceptual=None, **settings)
    shared = {} if step is None else {"step": torch.tensor(step)}
    turns = gan_turns(*networks, settings, None)
    turns[0].losses(BATCH, shared)
    return turns[1].losses(BATCH, shared)


def test_without_a_weight_there_is_no_such_term(networks):
    assert set(discriminate(networks)) == {"adversarial"}


def test_the_penalty_alone_pulls_on_the_discriminator_and_on_nobody_else(networks):
    generator, discriminator = networks
    discriminate(networks, r1=1.0)["r1"].backward()
    assert any(p.grad is not None and p.grad.any() for p in discriminator.parameters())
    assert all(p.grad is None for p in generator.parameters())


def test_it_is_computed_on_every_so_manieth_step_and_0_between(networks):
    terms = [discriminate(networks, step, r1=1.0, r1_every=3)["r1"] for step in range(7)]
    assert [step for step, term in enumerate(terms) if term > 0] == [0, 3, 6]
    assert not any(terms[step].requires_grad for step in (1, 2, 4, 5))


def test_it_is_weighed_by_the_steps_it_stands_for(networks):
    networks[1].eval()  # the power iteration rests: one output for one input
    once = discriminate(networks, 0, r1=1.0, r1_every=1)["r1"]
    seldom = discriminate(networks, 0, r1=3.0, r1_every=16)["r1"]
    torch.testing.assert_close(seldom, 48 * once)


@pytest.mark.parametrize(
    ("changes", "message"),
    [({"r1": -1.0}, "r1: must be 0"), ({"r1_every": 0}, "r1_every: must be 1 or more")],
)
def test_settings_that_cannot_be_are_refused(changes, message):
    with pytest.raises(ConfigError, match=message):
        check(changes, GanSettings, "objective")
