import pytest
import torch
from torch import nn

from srmodels.data.batches.batch import Batch
from srmodels.engine.memory import Memory, measure, too_large
from srmodels.objectives.turn import Turn
from tests.engine.toys import Toy, ToySource, two_player_turns


def squares(network):
    return Turn("generator", (network,), lambda batch, shared: {"sum": network(batch.lr).sum()})


class Two(nn.Module):
    """Keeps its input (the gradient of the weight) and what the ReLU gave, nothing more."""

    def __init__(self) -> None:
        super().__init__()
        self.conv = nn.Conv2d(3, 16, 1, bias=False)

    def forward(self, lr):
        return self.conv(lr).relu()


def test_activations_of_a_sample_are_what_its_layers_keep() -> None:
    network = Two()
    batch = Batch(lr=torch.rand(4, 3, 10, 10), hr=torch.rand(4, 3, 10, 10), photos=("a",) * 4)
    found = measure({"generator": network}, (squares(network),), batch)
    assert found.sample == 16 * 100 * 4  # the input is a view of the whole batch: the same for all
    sizes = {"parameters": 48 * 4, "gradients": 48 * 4, "optimizer": 2 * 48 * 4, "average": 48 * 4}
    assert found.constant == sizes


def test_measuring_moves_nothing_and_draws_no_random_numbers() -> None:
    networks = {"generator": Toy(), "discriminator": Toy()}
    before = [v.clone() for each in networks.values() for v in each.state_dict().values()]
    random = torch.get_rng_state()
    measure(networks, two_player_turns(networks), ToySource().batch(0))
    after = [v for each in networks.values() for v in each.state_dict().values()]
    assert all(torch.equal(a, b) for a, b in zip(before, after, strict=True))
    assert torch.equal(random, torch.get_rng_state())
    assert all(p.grad is None for each in networks.values() for p in each.parameters())


@pytest.fixture
def memory() -> Memory:
    mebibyte = 2**20
    sizes = {"parameters": 10, "gradients": 10, "optimizer": 20, "average": 10}
    constant = {name: size * mebibyte for name, size in sizes.items()}
    return Memory(constant=constant, fixed=0, sample=5 * mebibyte)


def test_the_largest_batch_leaves_a_quarter_free(memory) -> None:
    assert memory.largest_batch(120 * 2**20) == 8
    assert memory.total(8) == 90 * 2**20
    assert memory.largest_batch(40 * 2**20) == 0


def test_the_error_says_which_batch_would_fit(memory) -> None:
    assert str(too_large(memory, 16, 120 * 2**20)) == (
        "training.batch_size: does not fit into the device's memory "
        "(got 16: at least 130 of 120 MiB). Set batch_size 8."
    )


def test_where_not_one_sample_fits_no_batch_is_advised(memory) -> None:
    assert "Set a smaller patch_size." in str(too_large(memory, 16, 30 * 2**20))


def test_the_summary_has_the_sum_first(memory) -> None:
    assert memory.summary(8).startswith("memory: at least 90 MiB (parameters 10, gradients 10,")
