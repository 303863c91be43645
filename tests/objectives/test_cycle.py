from types import SimpleNamespace

import pytest
import torch

from srmodels import models, objectives
from srmodels.config import check
from srmodels.errors import ConfigError
from srmodels.losses.perceptual import PerceptualSettings
from srmodels.models._modules import constant_in
from srmodels.objectives.cycle import ROLES, CycleWeights, turns
from srmodels.objectives.cycle import Settings as CycleSettings
from srmodels.resize.tensors import enlarge, reduce

TERMS = {
    "adversarial": {"adversarial_hr": {"generator"}, "adversarial_lr": {"degrader"}},
    "cycle": {"cycle_lr": {"generator", "degrader"}, "cycle_hr": {"generator", "degrader"}},
    "identity": {"identity": {"generator", "degrader"}},
    "colour": {"colour": {"generator"}},
    "perceptual": {"perceptual": {"generator", "degrader"}},
}
FEATURES = PerceptualSettings(weights="random", layers={"conv1_2": 1.0})


def make(network, **settings):
    return models.build(network, models.settings_class(network)(**settings))


@pytest.fixture
def networks():
    small = {"channels": 4, "num_blocks": 1, "edge_kernel": 3}
    return {
        "generator": make("cyclegan_up", **small),
        "degrader": make("cyclegan_down", **small),
        "discriminator_hr": make("cyclegan_discriminator", channels=4, num_stages=2),
        "discriminator_lr": make("cyclegan_discriminator", channels=4, num_stages=1),
    }


@pytest.fixture
def batch():
    lr, hr = (enlarge(torch.rand(2, 3, 4, 4), factor).clamp(0, 1) for factor in (2, 8))
    return SimpleNamespace(lr=lr, hr=hr, photos=("a", "b", "c", "d"))


def settings_for(*, pool_size=0, **weights):
    none = dict.fromkeys(TERMS, 0.0)
    return CycleSettings(
        weights=CycleWeights(**(none | weights)), pool_size=pool_size, perceptual=FEATURES
    )


def pulled(networks):
    return {
        role
        for role, network in networks.items()
        if any(p.grad is not None and p.grad.any() for p in network.parameters())
    }


def frozen_but(networks, *roles):
    for role, network in networks.items():
        network.requires_grad_(role in roles)


def test_it_is_found_by_the_networks_it_needs():
    assert objectives.roles("cycle") == set(ROLES)


def test_it_says_that_its_batches_are_no_pairs():
    assert constant_in("srmodels.objectives.cycle", "PAIRED") is False


def test_two_generators_move_together_then_two_discriminators(networks):
    turns = objectives.turns("cycle", networks, CycleSettings())
    assert [turn.player for turn in turns] == ["generators", "discriminators"]
    assert turns[0].networks == (networks["generator"], networks["degrader"])
    assert turns[1].networks == (networks["discriminator_hr"], networks["discriminator_lr"])


@pytest.mark.parametrize(
    ("weight", "term"), [(weight, term) for weight, terms in TERMS.items() for term in terms]
)
def test_each_term_alone_pulls_on_its_own_generators_and_on_nobody_else(
    weight, term, networks, batch
):
    turn = turns(networks, settings_for(**{weight: 1.0}))[0]
    frozen_but(networks, "generator", "degrader")
    losses = turn.losses(batch, {})
    assert set(losses) == set(TERMS[weight])
    losses[term].backward()
    assert pulled(networks) == TERMS[weight][term]


@pytest.mark.parametrize("domain", ["hr", "lr"])
def test_each_discriminators_term_pulls_on_it_and_on_nobody_else(domain, networks, batch):
    both = turns(networks, settings_for(cycle=1.0))
    shared = {}
    both[0].losses(batch, shared)  # without backward: the generators' gradients stay empty
    both[1].losses(batch, shared)[f"adversarial_{domain}"].backward()
    assert pulled(networks) == {f"discriminator_{domain}"}


def test_the_terms_equal_the_papers_formulas(networks, batch):
    g, f, d_hr, d_lr = (networks[role] for role in ROLES)
    weights = {"adversarial": 1.0, "cycle": 10.0, "identity": 5.0, "colour": 2.0}
    shared = {}
    both = turns(networks, settings_for(**weights))
    with torch.no_grad():
        found = both[0].losses(batch, shared)
        judged = both[1].losses(batch, shared)
        x, y = batch.lr, batch.hr
        large = enlarge(x, 4)
        wanted = {
            "adversarial_hr": ((d_hr(g(x)) - 1) ** 2).mean(),
            "adversarial_lr": ((d_lr(f(y)) - 1) ** 2).mean(),
            "cycle_lr": 10 * (f(g(x)) - x).abs().mean(),
            "cycle_hr": 10 * (g(f(y)) - y).abs().mean(),
            "identity": 5 * ((g(x) - large).abs().mean() + (f(large) - x).abs().mean()),
            "colour": 2 * (reduce(g(x), 4) - x).abs().mean(),
        }
        wanted_of_judges = {
            "adversarial_hr": (((d_hr(y) - 1) ** 2).mean() + (d_hr(g(x)) ** 2).mean()) / 2,
            "adversarial_lr": (((d_lr(x) - 1) ** 2).mean() + (d_lr(f(y)) ** 2).mean()) / 2,
        }
    assert found.keys() == wanted.keys()
    for name, value in wanted.items():
        torch.testing.assert_close(found[name], value)
    for name, value in wanted_of_judges.items():
        torch.testing.assert_close(judged[name], value)


def test_the_turns_share_detached_images_mean_logits_and_what_is_kept(networks, batch):
    shared = {}
    for turn in turns(networks, settings_for(pool_size=3, cycle=1.0)):
        turn.losses(batch, shared)
    logits = {f"d_{domain}_{kind}" for domain in ("hr", "lr") for kind in ("real", "fake")}
    assert set(shared) == {"sr", "degraded", "persistent/hr", "persistent/lr"} | logits
    assert not any(value.requires_grad for value in shared.values())
    assert {name for name, value in shared.items() if value.ndim == 0} == logits


def test_lr_and_hr_of_a_batch_may_be_swapped_for_others_without_changing_the_rest(networks, batch):
    turn = turns(networks, settings_for(adversarial=1.0, colour=1.0))[0]
    other = SimpleNamespace(lr=batch.lr, hr=torch.rand_like(batch.hr), photos=batch.photos)
    with torch.no_grad():
        first, second = turn.losses(batch, {}), turn.losses(other, {})
    for name in ("adversarial_hr", "colour"):  # nothing of LR's way meets HR's
        assert torch.equal(first[name], second[name])
    assert not torch.equal(first["adversarial_lr"], second["adversarial_lr"])


def optimized(networks, both, batch, *, rate, steps):
    """Both players, as the engine moves them; the generators' losses and the last shared."""
    optimizers = [
        torch.optim.Adam([p for n in t.networks for p in n.parameters()], lr=rate) for t in both
    ]
    kept, sums = {}, []
    for step in range(steps):
        shared = {"step": torch.tensor(step)} | kept
        for optimizer, turn in zip(optimizers, both, strict=True):
            optimizer.zero_grad()
            for network in networks.values():
                network.requires_grad_(network in turn.networks)
            loss = sum(turn.losses(batch, shared).values())
            loss.backward()
            sums.append(loss.item())
        for optimizer in optimizers:
            optimizer.step()
        kept = {name: value for name, value in shared.items() if name.startswith("persistent/")}
    return sums[:: len(both)], shared


def test_a_batch_can_be_learnt(networks, batch):
    both = turns(networks, settings_for(cycle=10.0, colour=1.0))
    losses, _ = optimized(networks, both, batch, rate=3e-3, steps=25)
    assert losses[-1] < 0.95 * losses[0]


def test_the_discriminators_learn_to_tell_one_batch(networks, batch):
    both = turns(networks, settings_for(pool_size=3, cycle=1.0))
    _, shared = optimized(networks, both, batch, rate=5e-3, steps=25)
    assert shared["d_hr_real"] - shared["d_hr_fake"] > 0.2
    assert shared["d_lr_real"] - shared["d_lr_fake"] > 0.2


def test_cyclegans_published_values_are_the_defaults():
    settings = CycleSettings()
    weights = settings.weights
    assert (weights.adversarial, weights.cycle, weights.identity, weights.colour) == (1, 10, 0, 0)
    assert settings.pool_size == 50


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"weights": {"cycle": -1.0}}, "weights must be 0 or more"),
        ({"weights": {"cycle": 0.0, "adversarial": 0.0}}, "one of them above 0"),
        ({"pool_size": -1}, "pool_size: must be 0 or more"),
        ({"weights": {"perceptual": 1.0}}, "perceptual: must be given where"),
    ],
)
def test_settings_that_cannot_be_are_refused(changes, message):
    with pytest.raises(ConfigError, match=message):
        check(changes, CycleSettings, "objective")


def test_the_hr_discriminator_alone_sees_a_smaller_window(networks, batch):
    seen = {}
    for role in ("discriminator_hr", "discriminator_lr"):
        networks[role].register_forward_pre_hook(
            lambda _, inputs, role=role: seen.setdefault(role, []).append(inputs[0].shape[-1])
        )
    shared = {"step": torch.tensor(0)}
    for turn in turns(networks, CycleSettings(pool_size=0, shift=3)):
        turn.losses(batch, shared)
    assert seen == {"discriminator_hr": [29] * 3, "discriminator_lr": [8] * 3}


def test_a_negative_shift_is_refused():
    with pytest.raises(ValueError, match="shift must be 0 or more"):
        CycleSettings(shift=-1)
