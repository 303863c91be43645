import time

import pytest
import torch
from lightning_fabric import Fabric

from srmodels.engine.profiler import profile_steps
from tests.engine.toys import Toy, ToySource, two_player_turns

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def found():
    networks = {"generator": Toy(), "discriminator": Toy()}
    turns = two_player_turns(networks)
    optimizers = {t.player: torch.optim.SGD(t.networks[0].parameters(), lr=0.1) for t in turns}

    def slowly(step):
        time.sleep(0.02)
        return ToySource().batch(step)

    fabric = Fabric(accelerator="cpu", devices=1, precision="32-true")
    return profile_steps(fabric, turns, optimizers, slowly, steps=4)


def test_every_part_of_every_players_step_is_in_the_table(found) -> None:
    parts = ("forward", "backward", "optimizer")
    players = {f"{player} {part}" for player in ("generator", "discriminator") for part in parts}
    assert set(found.parts) == players | {"data", "the rest"}
    assert all(name in found.table() for name in found.parts)


def test_a_slow_source_shows_as_data(found) -> None:
    assert found.parts["data"] >= 20


def test_the_operators_are_pytorchs(found) -> None:
    assert "aten::" in found.operators
