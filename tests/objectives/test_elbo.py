from types import SimpleNamespace

import pytest
import torch
from torch.distributions import Normal, kl_divergence

from srmodels import models, objectives
from srmodels.config import check
from srmodels.engine.precision import fabric_for
from srmodels.engine.settings import RunSettings
from srmodels.errors import ConfigError
from srmodels.losses.perceptual import PerceptualSettings
from srmodels.objectives.elbo import ElboWeights, turns
from srmodels.objectives.elbo import Settings as ElboSettings

RANDOM_VGG = PerceptualSettings(weights="random", layers={"conv1_2": 1.0})
TERMS = ["reconstruction", "perceptual", "kl"]
SMALL = {
    "srvae": {"num_blocks": 1, "channels": 8, "latent_channels": 2, "upsampler": "direct"},
    "cvae": {"channels": 4, "latent_channels": 4, "window_size": 8, "residual": "bicubic"},
}


def make(network, **settings):
    return models.build(network, models.settings_class(network)(**settings))


@pytest.fixture(params=sorted(SMALL))
def generator(request):
    return make(request.param, **SMALL[request.param])


@pytest.fixture
def batch():
    return SimpleNamespace(
        lr=torch.rand(2, 3, 8, 8), hr=torch.rand(2, 3, 32, 32), photos=("a", "b")
    )


def turn_for(generator, *, warmup_steps=0, free_bits=0.0, **weights):
    settings = ElboSettings(
        weights=ElboWeights(**(dict.fromkeys(TERMS, 0.0) | weights)),
        warmup_steps=warmup_steps,
        free_bits=free_bits,
        perceptual=RANDOM_VGG,
    )
    (turn,) = turns({"generator": generator}, settings)
    return turn


def parts_pulled(generator):
    return {
        name.split(".")[0]
        for name, parameter in generator.named_parameters()
        if parameter.grad is not None and parameter.grad.any()
    }


@pytest.mark.parametrize("term", ["reconstruction", "perceptual"])
def test_what_looks_at_sr_pulls_on_the_posterior_and_all_that_generates(term, batch):
    generator = make("srvae", **SMALL["srvae"])
    losses = turn_for(generator, **{term: 1.0}).losses(batch, {})
    assert set(losses) == {term}
    losses[term].backward()
    assert parts_pulled(generator) == {"posterior", "head", "inject", "body", "tail"}


def test_the_divergence_pulls_on_posterior_and_prior_alone(batch):
    generator = make("srvae", **SMALL["srvae"])
    losses = turn_for(generator, kl=1.0).losses(batch, {})
    assert set(losses) == {"kl"}
    losses["kl"].backward()
    assert parts_pulled(generator) == {"posterior", "prior"}


def test_all_terms_together_pull_on_every_parameter(generator, batch):
    losses = turn_for(generator, reconstruction=1.0, kl=1.0).losses(batch, {})
    torch.stack(list(losses.values())).sum().backward()
    assert all(p.grad is not None and p.grad.any() for p in generator.parameters())


def test_the_terms_equal_the_elbo_written_out(generator, batch):
    generator.eval()
    torch.manual_seed(7)
    losses = turn_for(generator, reconstruction=2.0, kl=0.5).losses(batch, {})
    torch.manual_seed(7)  # the same latent is drawn
    with torch.no_grad():
        sr, *both = generator(batch.lr, batch.hr)
    posterior, prior = (Normal(each.mean, (each.log_variance / 2).exp()) for each in both)
    divergence = kl_divergence(posterior, prior).flatten(1).sum(1).mean()
    torch.testing.assert_close(losses["reconstruction"], 2 * (sr - batch.hr).abs().mean())
    torch.testing.assert_close(losses["kl"], 0.5 * divergence / (3 * 32 * 32))


def test_the_divergence_in_nats_is_left_in_the_memo(generator, batch):
    shared = {}
    losses = turn_for(generator, kl=2.0, free_bits=100.0).losses(batch, shared)
    assert set(shared) == {"kl_nats"}
    assert shared["kl_nats"].ndim == 0
    assert not shared["kl_nats"].requires_grad
    assert shared["kl_nats"] < losses["kl"] * 3 * 32 * 32


def test_the_divergences_weight_rises_over_the_warm_up(batch):
    generator = make("srvae", **SMALL["srvae"])
    turn, full = turn_for(generator, kl=1.0, warmup_steps=4), turn_for(generator, kl=1.0)

    def term(turn, shared):
        with torch.no_grad():
            return turn.losses(batch, shared)["kl"].item()

    shares = [
        term(turn, {"step": torch.tensor(step)}) / term(full, {}) for step in (0, 1, 3, 4, 1000)
    ]
    assert shares == pytest.approx([0.25, 0.5, 1, 1, 1], rel=1e-4)
    assert term(turn, {}) == pytest.approx(0.25 * term(full, {}), rel=1e-4)


def test_free_bits_leave_a_small_divergence_alone(generator, batch):
    losses = turn_for(generator, kl=1.0, free_bits=100.0).losses(batch, {})
    losses["kl"].backward()
    assert parts_pulled(generator) == set()


def test_a_batch_can_be_learnt(generator, batch):
    turn = turn_for(generator, reconstruction=1.0, kl=0.03, warmup_steps=10)
    optimizer = torch.optim.Adam(generator.parameters(), lr=3e-3)
    losses = []
    for step in range(40):
        optimizer.zero_grad()
        terms = turn.losses(batch, {"step": torch.tensor(step)})
        torch.stack(list(terms.values())).sum().backward()
        optimizer.step()
        losses.append(terms["reconstruction"].item())
    assert losses[-1] < 0.95 * losses[0]


def test_a_latent_that_is_worth_its_nats_carries_hr():
    """HR that LR does not tell: the posterior reconstructs it better than the prior's mean."""
    torch.manual_seed(0)
    generator = make("srvae", **SMALL["srvae"])
    lr = torch.full((8, 3, 4, 4), 0.5)
    level = torch.tensor([0.0, 1.0]).repeat(4).view(8, 1, 1, 1)
    batch = SimpleNamespace(lr=lr, hr=level.expand(8, 3, 16, 16), photos=())
    turn = turn_for(generator, reconstruction=1.0, kl=0.03)
    optimizer = torch.optim.Adam(generator.parameters(), lr=1e-2)
    for _ in range(60):
        optimizer.zero_grad()
        torch.stack(list(turn.losses(batch, {}).values())).sum().backward()
        optimizer.step()
    with torch.no_grad():
        informed = (generator(lr, batch.hr).sr - batch.hr).abs().mean()
        blind = (generator(lr) - batch.hr).abs().mean()
        spread = torch.stack([generator.sample(lr[:1]) for _ in range(8)]).std(0).mean()
    assert informed < 0.5 * blind
    assert spread > 0.05


def test_under_the_engines_fabric_it_computes_in_bfloat16_and_loses_in_float32(generator, batch):
    fabric = fabric_for(RunSettings(device="cpu"), "bf16-mixed")
    computed = []
    layer = next(m for m in generator.posterior.modules() if isinstance(m, torch.nn.Conv2d))
    layer.register_forward_hook(lambda module, seen, made: computed.append(made.dtype))
    networks = {"generator": fabric.setup_module(generator)}
    (turn,) = objectives.turns("elbo", networks, ElboSettings())
    losses = turn.losses(batch, {})
    fabric.backward(torch.stack(list(losses.values())).sum())
    assert computed == [torch.bfloat16]
    assert {loss.dtype for loss in losses.values()} == {torch.float32}
    assert "posterior" in parts_pulled(generator)


def test_the_turns_are_made_from_networks_by_role(generator, batch):
    (turn,) = objectives.turns("elbo", {"generator": generator}, ElboSettings())
    assert turn.player == "generator"
    assert set(turn.losses(batch, {})) == {"reconstruction", "kl"}


def test_a_generator_without_a_latent_is_refused_at_the_start():
    with pytest.raises(
        ConfigError, match=r"no posterior and no prior \(got SRCNN\). Use cvae or srvae"
    ):
        objectives.turns("elbo", {"generator": make("srcnn")}, ElboSettings())


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"weights": {"kl": -1.0}}, "weights must be 0 or more"),
        ({"weights": {"kl": 0.0, "reconstruction": 0.0}}, "one of them above 0"),
        ({"weights": {"perceptual": 1.0}}, "perceptual: must be given"),
        ({"warmup_steps": -1}, "must be 0 or more"),
        ({"free_bits": -0.1}, "must be 0 or more"),
    ],
)
def test_settings_that_cannot_be_are_refused(changes, message):
    with pytest.raises(ConfigError, match=message):
        check(changes, ElboSettings, "objective")
