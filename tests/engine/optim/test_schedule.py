import math

import pytest
import torch
from lightning_fabric import Fabric

from srmodels.engine.optim.ema import EMA
from srmodels.engine.optim.optimizer import OptimSettings
from srmodels.engine.optim.schedule import learning_rate_at, set_rate
from srmodels.engine.settings import TrainSettings
from srmodels.engine.state import State
from tests.engine.toys import Toy, two_player_turns


def test_the_cosine_starts_at_the_rate_and_ends_at_the_final_one() -> None:
    settings = OptimSettings(learning_rate=1e-3, schedule="cosine", final_learning_rate=1e-5)
    assert learning_rate_at(0, 100, settings) == pytest.approx(1e-3)
    assert learning_rate_at(50, 100, settings) == pytest.approx((1e-3 + 1e-5) / 2)
    assert learning_rate_at(100, 100, settings) == pytest.approx(1e-5)


def test_the_cosine_is_the_one_of_sgdr() -> None:
    settings = OptimSettings(learning_rate=1.0 - 1e-9, schedule="cosine")
    assert learning_rate_at(30, 100, settings) == pytest.approx((1 + math.cos(0.3 * math.pi)) / 2)


def test_the_warm_up_rises_linearly_to_the_rate() -> None:
    settings = OptimSettings(learning_rate=1e-2, warmup_steps=10)
    assert learning_rate_at(4, 100, settings) == pytest.approx(5e-3)
    assert learning_rate_at(10, 100, settings) == pytest.approx(1e-2)


def test_milestones_multiply_the_rate() -> None:
    settings = OptimSettings(
        learning_rate=1e-4, schedule="halving", milestones=(10, 20), milestone_factor=0.1
    )
    assert learning_rate_at(9, 30, settings) == pytest.approx(1e-4)
    assert learning_rate_at(25, 30, settings) == pytest.approx(1e-6)


def test_the_average_moves_parameters_and_batch_norm_statistics_alike() -> None:
    network = Toy()
    average = EMA(network, decay=0.5)
    with torch.no_grad():
        network.norm.running_mean += 1
        network.norm.weight += 1
        network.norm.num_batches_tracked += 7
    average.update(network, step=1000)
    assert torch.allclose(average.network.norm.running_mean, torch.full((3,), 0.5))
    assert torch.allclose(average.network.norm.weight, torch.full((3,), 1.5))
    assert int(average.network.norm.num_batches_tracked) == 7


def test_without_a_decay_the_average_is_the_network() -> None:
    network = Toy()
    average = EMA(network, decay=0.0)
    with torch.no_grad():
        network.conv.weight += 1
    average.update(network, step=0)
    assert torch.equal(average.network.conv.weight, network.conv.weight)


@pytest.mark.parametrize("factor", [1.0, 4.0])
def test_a_discriminator_has_the_generators_rate_times_its_factor(factor) -> None:
    settings = TrainSettings(steps=9, optimizer=OptimSettings(discriminator_factor=factor))
    networks = {"generator": Toy(), "discriminator": Toy()}
    fabric = Fabric(accelerator="cpu", devices=1, precision="32-true")
    state = State(fabric, networks, two_player_turns, settings, keep_best=None)
    rates = {}
    for player, optimizer in state.optimizers.items():
        set_rate(optimizer, 1e-3)
        (rates[player],) = {group["lr"] for group in optimizer.param_groups}
    assert rates == {"generator": 1e-3, "discriminator": factor * 1e-3}
