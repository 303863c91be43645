import pytest
import torch
from lightning_fabric import Fabric

from srmodels.engine.precision import _MixedPrecision
from srmodels.engine.step import freeze_all_but, take_step
from srmodels.errors import GradientOverflowError, NonFiniteError
from srmodels.objectives.turn import Turn
from tests.engine.toys import Toy, ToySource, two_player_turns


def players():
    networks = {"generator": Toy(), "discriminator": Toy()}
    turns = two_player_turns(networks)
    optimizers = {
        turn.player: torch.optim.SGD([p for n in turn.networks for p in n.parameters()], lr=0.1)
        for turn in turns
    }
    return networks, turns, optimizers


def fabric():
    return Fabric(accelerator="cpu", devices=1, precision="32-true")


def test_only_the_moving_player_is_thawed() -> None:
    networks, turns, _ = players()
    freeze_all_but(turns[0].networks, turns)
    assert all(p.requires_grad for p in networks["generator"].parameters())
    assert not any(p.requires_grad for p in networks["discriminator"].parameters())


def test_the_generators_adversarial_term_leaves_no_gradient_in_the_discriminator() -> None:
    networks, turns, optimizers = players()
    weight = networks["discriminator"].conv.weight
    idle = Turn(
        "discriminator", turns[1].networks, lambda batch, shared: {"none": 0 * weight.sum()}
    )
    take_step(fabric(), (turns[0], idle), optimizers, ToySource().batch(0), shared={})
    assert not weight.grad.any()


def test_every_player_moves_once() -> None:
    networks, turns, optimizers = players()
    before = {role: each.conv.weight.clone() for role, each in networks.items()}
    take_step(fabric(), turns, optimizers, ToySource().batch(0), shared={})
    assert not any(torch.equal(before[role], each.conv.weight) for role, each in networks.items())


def test_a_bad_second_player_keeps_the_first_from_moving() -> None:
    networks, turns, optimizers = players()
    before = networks["generator"].conv.weight.clone()
    broken = Turn(
        "discriminator",
        turns[1].networks,
        lambda batch, shared: {
            "adversarial": torch.inf * networks["discriminator"].conv.bias.sum()
        },
    )
    with pytest.raises(NonFiniteError, match="discriminator/adversarial"):
        take_step(fabric(), (turns[0], broken), optimizers, ToySource().batch(0), shared={})
    assert torch.equal(before, networks["generator"].conv.weight)


def steep(networks):
    """A turn whose loss is finite and its gradient is not."""

    def losses(batch, shared):
        weight = networks["generator"].conv.weight
        return {"root": (weight - weight.detach()).abs().sum().sqrt()}

    return Turn("generator", (networks["generator"],), losses)


def test_a_finite_loss_with_an_infinite_gradient_is_refused() -> None:
    networks, _, optimizers = players()
    with pytest.raises(NonFiniteError, match="gradient of generator"):
        take_step(fabric(), (steep(networks),), optimizers, ToySource().batch(0), shared={})


def test_a_gradient_that_overflows_float16_is_told_apart_and_lowers_the_scale() -> None:
    scaler = torch.amp.GradScaler("cpu", init_scale=1024.0)
    half = Fabric(
        accelerator="cpu", devices=1, plugins=[_MixedPrecision("16-mixed", "cpu", scaler)]
    )
    networks, _, optimizers = players()
    with pytest.raises(GradientOverflowError, match="gradient of generator"):
        take_step(half, (steep(networks),), optimizers, ToySource().batch(0), shared={})
    assert half.strategy.precision.state_dict()["scale"] == 512


def test_clipping_shortens_the_gradient_to_the_norm_asked_for() -> None:
    networks, turns, optimizers = players()
    scalars = take_step(
        fabric(), turns, optimizers, ToySource().batch(0), shared={}, clip_norm=1e-3
    )
    norms = [p.grad for p in networks["generator"].parameters()]
    assert float(torch.nn.utils.get_total_norm(norms)) == pytest.approx(1e-3, rel=1e-2)
    assert float(scalars["generator/gradient_norm"]) > 1e-3


def test_turns_find_the_step_and_what_was_kept_and_neither_is_logged() -> None:
    networks, turns, optimizers = players()

    def keeps(batch, shared):
        shared["persistent/sum"] = shared["persistent/sum"] + shared["step"]
        shared["mean"] = torch.tensor(3.0)
        return turns[0].losses(batch, shared)

    shared = {"step": torch.tensor(4), "persistent/sum": torch.tensor(10)}
    turn = Turn("generator", (networks["generator"],), keeps)
    scalars = take_step(fabric(), (turn,), optimizers, ToySource().batch(0), shared=shared)
    assert shared["persistent/sum"] == 14
    assert scalars["mean"] == 3
    assert not {"step", "persistent/sum"} & scalars.keys()
