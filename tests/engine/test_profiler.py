import time

import pytest
import torch

from srmodels.data.batches.batch import Batch
from srmodels.engine.profiler import profile_steps
from tests.engine.toys import Toy, ToySource, fabric_on, two_player_turns

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def found(device):
    networks = {"generator": Toy().to(device), "discriminator": Toy().to(device)}
    turns = two_player_turns(networks)
    optimizers = {t.player: torch.optim.SGD(t.networks[0].parameters(), lr=0.1) for t in turns}

    def slowly(step):
        time.sleep(0.02)
        batch = ToySource().batch(step)
        return Batch(lr=batch.lr.to(device), hr=batch.hr.to(device), photos=batch.photos)

    return profile_steps(fabric_on(device), turns, optimizers, slowly, steps=4)


def test_every_part_of_every_players_step_is_in_the_table(found) -> None:
    parts = ("forward", "backward", "optimizer")
    players = {f"{player} {part}" for player in ("generator", "discriminator") for part in parts}
    assert set(found.parts) == players | {"data", "the rest"}
    assert all(name in found.table() for name in found.parts)


def test_a_slow_source_shows_as_data(found) -> None:
    assert found.parts["data"] >= 20


def test_the_operators_are_pytorchs(found) -> None:
    assert "aten::" in found.operators
