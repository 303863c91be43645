import copy

import pytest
import torch
from torch import nn

from srmodels.engine.optim.muon import is_hidden, orthogonalize
from srmodels.engine.optim.optimizer import OptimSettings, optimizer_for
from srmodels.engine.optim.schedule import set_rate
from srmodels.errors import ConfigError
from srmodels.machine import without_tf32

SETTINGS = OptimSettings(learning_rate=1e-3, muon_learning_rate=1e-2, betas=(0.9, 0.99))


def network() -> nn.Sequential:
    torch.manual_seed(0)
    layers = [nn.Conv2d(3, 16, 3), nn.Conv2d(16, 32, 3), nn.Conv2d(32, 16, 1), nn.Conv2d(16, 3, 3)]
    return nn.Sequential(*layers)


def stepped(net: nn.Sequential, optimizer: torch.optim.Optimizer, steps: range) -> None:
    for step in steps:
        lr = torch.rand(2, 3, 8, 8, generator=torch.Generator().manual_seed(step))
        lr = lr.to(net[0].weight.device)
        optimizer.zero_grad(set_to_none=True)
        net(lr).square().mean().backward()
        optimizer.step()


@pytest.mark.parametrize("shape", [(2, 16, 144), (3, 40, 16), (1, 16, 16)])
def test_orthogonal_keeps_the_directions_and_makes_all_as_long(shape):
    matrices = torch.randn(shape, generator=torch.Generator().manual_seed(1))
    found = orthogonalize(matrices)
    left, _, right = torch.linalg.svd(matrices, full_matrices=False)
    seen = left.mT @ found @ right.mT
    lengths = seen.diagonal(dim1=-2, dim2=-1)
    assert lengths.min() > 0.3  # of square matrices some singular values are near 0
    assert lengths.max() < 1.3
    torch.testing.assert_close(seen, torch.diag_embed(lengths), rtol=0, atol=1e-3)


def test_a_gradient_of_zero_moves_nothing():
    assert not orthogonalize(torch.zeros(1, 16, 32)).any()


def test_hidden_are_layers_between_features():
    hidden = {name for name, each in network().named_parameters() if is_hidden(each)}
    assert hidden == {"1.weight", "2.weight"}


def test_a_linear_layer_moves_as_with_pytorchs_own():
    torch.manual_seed(0)
    ours, theirs = nn.Linear(24, 48, bias=False), nn.Linear(24, 48, bias=False)
    theirs.load_state_dict(ours.state_dict())
    pairs = [
        (ours, optimizer_for((ours,), SETTINGS)),
        (theirs, torch.optim.Muon(theirs.parameters(), lr=1e-2, weight_decay=0, nesterov=True)),
    ]
    before = ours.weight.detach().clone()
    for net, optimizer in pairs:
        for step in range(5):
            optimizer.zero_grad()
            x = torch.randn(64, 24, generator=torch.Generator().manual_seed(step))
            net(x).square().mean().backward()
            optimizer.step()
    moved = (ours.weight - before).norm()
    assert (ours.weight - theirs.weight).norm() < 0.03 * moved  # PyTorch iterates in bfloat16


def test_ends_and_biases_move_as_with_adam():
    net, other = network(), network()
    stepped(net, optimizer_for((net,), SETTINGS), range(1))
    plain = OptimSettings(learning_rate=1e-3, betas=(0.9, 0.99))
    stepped(other, optimizer_for((other,), plain), range(1))
    for (name, mine), its in zip(net.named_parameters(), other.parameters(), strict=True):
        assert torch.equal(mine, its) == (name not in {"1.weight", "2.weight"}), name


@pytest.mark.parametrize("muon_learning_rate", [0.0, 1e-2])
def test_a_device_moves_parameters_as_plain_adam_and_muon_do(muon_learning_rate, device):
    rates = {"learning_rate": 1e-3, "muon_learning_rate": muon_learning_rate}
    settings = OptimSettings(**rates, betas=(0.9, 0.99))
    net, other = network().to(device), network()
    plain = optimizer_for((other,), settings)
    for group in plain.param_groups:
        group["fused"], group["foreach"] = None, False
    with without_tf32():
        stepped(net, optimizer_for((net,), settings), range(3))
        stepped(other, plain, range(3))
    start = network()
    for mine, its, first in zip(*map(nn.Module.parameters, (net, other, start)), strict=True):
        assert (mine.cpu() - its).norm() < 1e-3 * (its - first).norm()


def test_a_network_without_hidden_layers_is_refused():
    with pytest.raises(ConfigError, match="no layer is Muon's"):
        optimizer_for((nn.Conv2d(3, 64, 9),), SETTINGS)


def test_the_schedule_keeps_the_two_rates_apart():
    optimizer = optimizer_for((network(),), SETTINGS)
    set_rate(optimizer, 5e-4)
    assert [group["lr"] for group in optimizer.param_groups] == pytest.approx([5e-3, 5e-4])


def test_loaded_it_goes_on_as_if_it_had_not_stopped():
    whole, part = network(), network()
    stepped(whole, optimizer_for((whole,), SETTINGS), range(6))
    first = optimizer_for((part,), SETTINGS)
    stepped(part, first, range(3))
    state = copy.deepcopy(first.state_dict())
    later = optimizer_for((part,), SETTINGS)
    later.load_state_dict(state)
    stepped(part, later, range(3, 6))
    for mine, its in zip(whole.parameters(), part.parameters(), strict=True):
        assert torch.equal(mine, its)


@pytest.mark.parametrize("rate", [-0.1, 1.0])
def test_a_rate_out_of_range_is_refused(rate):
    with pytest.raises(ValueError, match="muon_learning_rate must lie in"):
        OptimSettings(muon_learning_rate=rate)
