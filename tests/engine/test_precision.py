import os
import subprocess
import sys

import pytest
import torch
from torch import nn

from srmodels.engine.precision import _make_deterministic, fabric_for, to_channels_last, unscale
from srmodels.engine.settings import RunSettings
from srmodels.errors import ConfigError
from tests.engine.toys import fabric_on


def players(fabric, count):
    made = [nn.Linear(2, 1, bias=False).to(fabric.device) for _ in range(count)]
    optimizers = [torch.optim.SGD(each.parameters(), lr=1.0) for each in made]
    return made, [fabric.setup_optimizers(each) for each in optimizers]


def test_float16_is_refused_where_it_is_slow() -> None:
    with pytest.raises(ConfigError, match=r"training\.precision: slow on cpu.*got '16-mixed\'"):
        fabric_for(RunSettings(device="cpu"), "16-mixed")


def test_unscaled_gradients_are_those_of_the_loss(device) -> None:
    fabric = fabric_on(device, "16-mixed", scale=1024.0)
    (network,), (optimizer,) = players(fabric, 1)
    fabric.backward((3 * network.weight).sum())
    assert network.weight.grad.tolist() == [[3072, 3072]]
    assert unscale(fabric, optimizer)
    assert network.weight.grad.tolist() == [[3, 3]]
    before = network.weight.detach().clone()
    optimizer.step()
    assert torch.equal(before - 3, network.weight)


def test_without_a_scale_gradients_stay_as_they_are(fabric) -> None:
    (network,), (optimizer,) = players(fabric, 1)
    network.weight.sum().backward()
    assert not unscale(fabric, optimizer)
    assert network.weight.grad.tolist() == [[1, 1]]


def test_both_players_of_a_step_have_one_scale_and_an_overflow_lowers_the_next_ones(
    device,
) -> None:
    fabric = fabric_on(device, "16-mixed", scale=1024.0)
    networks, optimizers = players(fabric, 2)
    before = [each.weight.detach().clone() for each in networks]
    fabric.backward((networks[0].weight * torch.inf).sum())
    fabric.backward(networks[1].weight.sum())
    for optimizer in optimizers:
        unscale(fabric, optimizer)
        optimizer.step()
    assert torch.equal(before[0], networks[0].weight)
    assert torch.equal(before[1] - 1, networks[1].weight)
    assert fabric.strategy.precision.state_dict()["scale"] == 512


def test_cuda_trainings_ask_for_kernels_that_give_the_same_bytes(monkeypatch) -> None:
    monkeypatch.delenv("CUBLAS_WORKSPACE_CONFIG", raising=False)
    try:
        _make_deterministic()
        assert torch.are_deterministic_algorithms_enabled()
        assert os.environ["CUBLAS_WORKSPACE_CONFIG"] == ":4096:8"
    finally:
        torch.use_deterministic_algorithms(mode=False)


@pytest.mark.parametrize("wanted", [True, False])
def test_weights_are_laid_out_channels_last_unless_the_network_says_no(wanted) -> None:
    network = nn.Sequential(nn.Conv2d(3, 4, 3))
    network.channels_last = wanted
    weight = to_channels_last(network)[0].weight
    assert weight.is_contiguous(memory_format=torch.channels_last) == wanted


@pytest.mark.slow
def test_a_training_starts_without_torchmetrics_which_stays_importable() -> None:
    pytest.importorskip("torchmetrics")
    code = (
        "import importlib.util, sys, srmodels.engine.precision\n"
        "assert 'torchmetrics' not in sys.modules and 'torchvision' not in sys.modules\n"
        "assert importlib.util.find_spec('torchmetrics')\n"  # raises for a hidden module
    )
    subprocess.run([sys.executable, "-c", code], check=True)
