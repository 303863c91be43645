import dataclasses
from types import SimpleNamespace

import pytest
import torch
from torch import nn

from srmodels import models, objectives
from srmodels.config import check
from srmodels.engine.optim.ema import EMA
from srmodels.errors import ConfigError
from srmodels.losses.artifact import artifact_loss
from srmodels.losses.perceptual import Perceptual, PerceptualSettings
from srmodels.objectives import pixel
from srmodels.objectives.gan import GanWeights, gan_turns
from srmodels.objectives.gan import Settings as GanSettings
from srmodels.objectives.pixel import Settings as PixelSettings
from srmodels.objectives.turn import AVERAGE

KINDS = ["vanilla", "least_squares", "relativistic_average"]
RANDOM_VGG = PerceptualSettings(weights="random", layers={"conv1_2": 1.0})


def make(network, **settings):
    return models.build(network, models.settings_class(network)(**settings))


@pytest.fixture
def generator():
    small = {"num_blocks": 1, "channels": 8, "norm": "none", "edge_kernel": 3}
    return make("srresnet", **small, upsampler="direct", residual="bicubic")


@pytest.fixture
def discriminator():
    return make("patch_discriminator", channels=8, num_stages=2)


@pytest.fixture
def batch():
    return SimpleNamespace(
        lr=torch.rand(2, 3, 6, 6), hr=torch.rand(2, 3, 24, 24), photos=("a", "b")
    )


def settings_for(kind="vanilla", **weights):
    none = {"pixel": 0.0, "perceptual": 0.0, "adversarial": 0.0}
    return GanSettings(kind=kind, weights=GanWeights(**(none | weights)), perceptual=RANDOM_VGG)


def gan(generator, discriminator, settings):
    average = EMA(generator, decay=0.9).network
    return gan_turns(generator, discriminator, settings, Perceptual(RANDOM_VGG), average)


def take(turns, batch):
    """The engine's freezing rule: only the turn's networks may get gradients, and do."""
    shared, terms = {}, {}
    every = {network for turn in turns for network in turn.networks}
    for turn in turns:
        for network in every:
            network.requires_grad_(network in turn.networks)
        losses = turn.losses(batch, shared)
        torch.stack(list(losses.values())).sum().backward()
        terms[turn.player] = losses
    return shared, terms


def has_gradient(network: nn.Module) -> bool:
    return any(p.grad is not None and p.grad.any() for p in network.parameters())


def test_objectives_are_found_by_the_networks_they_need():
    assert "pixel" in objectives.names(alone=True)
    assert "gan" in objectives.names(alone=False)
    assert "turn" not in objectives.names()


def test_an_unknown_objective_is_refused_with_a_guess():
    with pytest.raises(ConfigError, match=r"objective: .*did you mean pixel"):
        objectives.settings_class("pixl")


@pytest.mark.parametrize("objective", objectives.names())
def test_default_settings_pass_the_check_and_come_back_equal(objective):
    section = objectives.settings_class(objective)
    assert check(dataclasses.asdict(section()), section, objective) == section()


def test_turns_are_made_from_networks_by_role(generator, discriminator, batch):
    networks = {"generator": generator, "discriminator": discriminator}
    settings = settings_for(perceptual=1.0, adversarial=1.0)
    turns = objectives.turns("gan", networks, settings, torch.device("cpu"))
    assert [turn.player for turn in turns] == ["generator", "discriminator"]
    assert set(turns[0].losses(batch, {})) == {"perceptual", "adversarial"}


def test_the_pixel_objective_is_one_turn_that_moves_the_generator(generator, batch):
    shared, terms = take(pixel.turns({"generator": generator}, PixelSettings()), batch)
    assert set(terms["generator"]) == {"pixel"}
    assert has_gradient(generator)
    assert shared == {}


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("term", ["pixel", "perceptual", "adversarial", "artifact"])
def test_each_term_alone_pulls_on_the_generator_and_on_nobody_else(
    term, kind, generator, discriminator, batch
):
    turn = gan(generator, discriminator, settings_for(kind, **{term: 1.0}))[0]
    discriminator.requires_grad_(False)
    losses = turn.losses(batch, {})
    assert set(losses) == {term}
    losses[term].backward()
    assert all(p.grad is not None and p.grad.any() for p in generator.parameters())
    assert not has_gradient(discriminator)


@pytest.mark.parametrize("kind", KINDS)
def test_the_discriminators_turn_pulls_on_the_discriminator_and_on_nobody_else(
    kind, generator, discriminator, batch
):
    turns = gan(generator, discriminator, settings_for(kind, pixel=1.0))
    shared = {}
    turns[0].losses(batch, shared)  # without backward: the generator's gradient stays empty
    turns[1].losses(batch, shared)["adversarial"].backward()
    assert has_gradient(discriminator)
    assert not has_gradient(generator)


def test_a_term_is_multiplied_by_its_weight(generator, discriminator, batch):
    discriminator.eval()  # the power iteration rests: one output for one input
    weights = {"pixel": 2.0, "perceptual": 3.0, "adversarial": 4.0, "artifact": 5.0}
    one = gan(generator, discriminator, settings_for(**dict.fromkeys(weights, 1.0)))
    two = gan(generator, discriminator, settings_for(**weights))
    single, double = (turns[0].losses(batch, {}) for turns in (one, two))
    for term, weight in weights.items():
        torch.testing.assert_close(double[term], weight * single[term])


def test_a_turn_shares_a_detached_sr_and_the_mean_logits(generator, discriminator, batch):
    shared, _ = take(gan(generator, discriminator, settings_for(pixel=1.0)), batch)
    assert set(shared) == {"sr", "d_real", "d_fake"}
    assert shared["sr"].shape == batch.hr.shape
    assert not any(value.requires_grad for value in shared.values())
    assert shared["d_real"].ndim == shared["d_fake"].ndim == 0


class Counting(nn.Module):
    """Counts how often its network runs."""

    def __init__(self, network: nn.Module) -> None:
        super().__init__()
        self.network = network
        self.calls = 0

    def forward(self, images):
        self.calls += 1
        return self.network(images)


@pytest.mark.parametrize(("kind", "passes"), [("vanilla", 3), ("relativistic_average", 4)])
def test_no_network_runs_oftener_than_its_loss_needs(kind, passes, generator, discriminator, batch):
    counted = Counting(generator), Counting(discriminator)
    take(gan(*counted, settings_for(kind, pixel=1.0, adversarial=1.0)), batch)
    assert [each.calls for each in counted] == [1, passes]


def test_a_term_of_weight_0_is_not_computed(generator, discriminator, batch):
    counted = Counting(discriminator)
    turns = gan_turns(generator, counted, settings_for(pixel=1.0), None)
    assert set(turns[0].losses(batch, {})) == {"pixel"}
    assert counted.calls == 0


def test_the_artifact_term_compares_with_the_sr_of_the_average(generator, discriminator, batch):
    """A better average leaves the term whole, a worse one turns it off."""
    settings = settings_for(artifact=1.0)

    class Returns(nn.Module):
        def __init__(self, sr: torch.Tensor) -> None:
            super().__init__()
            self.sr = sr

        def forward(self, _lr):
            return self.sr

    found = []
    for average_sr in (batch.hr, batch.hr + 10):
        turn = gan_turns(generator, discriminator, settings, None, Returns(average_sr))[0]
        found.append(turn.losses(batch, {})["artifact"])
    sr = generator(batch.lr)
    torch.testing.assert_close(found[0], artifact_loss(sr, batch.hr, batch.hr))
    assert found[0] > 0
    assert found[1] == 0


def test_the_average_runs_once_for_the_artifact_term_and_not_without_it(
    generator, discriminator, batch
):
    average = Counting(EMA(generator, decay=0.9).network)
    for weight, passes in ((0.0, 0), (1.0, 1)):
        settings = settings_for(pixel=1.0, artifact=weight)
        gan_turns(generator, discriminator, settings, None, average)[0].losses(batch, {})
        assert average.calls == passes


def test_an_objective_gets_the_average_beside_its_roles(generator, discriminator, batch):
    networks = {"generator": generator, "discriminator": discriminator}
    average = Counting(EMA(generator, decay=0.9).network)
    settings = GanSettings(weights=GanWeights(artifact=1.0, perceptual=0.0), perceptual=None)
    turns = objectives.turns("gan", networks | {AVERAGE: average}, settings)
    assert set(turns[0].losses(batch, {})) == {"adversarial", "artifact"}
    assert average.calls == 1
    assert not any(average in turn.networks for turn in turns)


def test_the_perceptual_network_is_not_built_where_its_weight_is_0(generator, discriminator):
    networks = {"generator": generator, "discriminator": discriminator}
    nowhere = PerceptualSettings(weights="nowhere.pth")
    weights = GanWeights(pixel=1.0, perceptual=0.0)
    settings = GanSettings(weights=weights, perceptual=nowhere)
    assert len(objectives.turns("gan", networks, settings)) == 2


def test_a_batch_can_be_learnt_by_the_pixel_objective(generator, batch):
    (turn,) = pixel.turns({"generator": generator}, PixelSettings(kind="l1"))
    optimizer = torch.optim.Adam(generator.parameters(), lr=3e-3)
    losses = []
    for _ in range(30):
        optimizer.zero_grad()
        loss = turn.losses(batch, {})["pixel"]
        loss.backward()
        optimizer.step()
        losses.append(loss.item())
    assert losses[-1] < 0.95 * losses[0]


@pytest.mark.parametrize("kind", KINDS)
def test_the_discriminator_learns_to_tell_one_batch(kind, generator, discriminator, batch):
    turns = gan(generator, discriminator, settings_for(kind, pixel=1.0))
    optimizer = torch.optim.Adam(discriminator.parameters(), lr=5e-3)
    for _ in range(30):
        optimizer.zero_grad()
        shared, _ = take(turns, batch)
        optimizer.step()
    assert shared["d_real"] - shared["d_fake"] > 0.3


def test_the_generator_learns_to_fool_a_resting_discriminator(generator, discriminator, batch):
    turn = gan(generator, discriminator.eval(), settings_for(adversarial=1.0))[0]
    discriminator.requires_grad_(False)
    optimizer = torch.optim.Adam(generator.parameters(), lr=3e-3)
    losses = []
    for _ in range(30):
        optimizer.zero_grad()
        loss = turn.losses(batch, {})["adversarial"]
        loss.backward()
        optimizer.step()
        losses.append(loss.item())
    assert losses[-1] < losses[0] - 0.1


def test_srgans_published_values_are_the_defaults():
    settings = GanSettings()
    assert (settings.kind, settings.weights.adversarial) == ("vanilla", 1e-3)
    assert settings.perceptual.layers == {"conv5_4": 1.0}
    assert not settings.perceptual.before_activation
    assert settings.perceptual.feature_scale == pytest.approx(1 / 12.75)


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"weights": {"pixel": -1.0}}, "weights must be 0 or more"),
        ({"weights": {"artifact": -1.0}}, "weights must be 0 or more"),
        ({"weights": {"perceptual": 0.0, "adversarial": 0.0}}, "one of them above 0"),
        ({"perceptual": None}, "perceptual: must be given"),
        ({"kind": "hinge"}, "'vanilla', 'least_squares' or 'relativistic_average'"),
    ],
)
def test_settings_that_cannot_be_are_refused(changes, message):
    with pytest.raises(ConfigError, match=message):
        check(changes, GanSettings, "objective")


def test_a_shifted_discriminator_sees_the_same_smaller_window_of_both(
    generator, discriminator, batch
):
    seen = []

    class Watched(torch.nn.Module):
        def forward(self, images):
            seen.append(images)
            return discriminator(images)

    settings = GanSettings(
        kind="relativistic_average", weights=GanWeights(perceptual=0), perceptual=None, shift=3
    )
    generate, discriminate = gan_turns(generator, Watched(), settings, None)
    shared = {"sr": batch.hr}  # the same picture as HR: what is seen of both must be equal
    discriminate.losses(batch, shared)
    assert torch.equal(seen[0], seen[1])
    assert seen[0].shape[-1] == batch.hr.shape[-1] - 3
    places = {generate.losses(batch, {})["adversarial"].item() for _ in range(8)}
    assert len(places) > 1
