"""Ensembles in one network: members learn independently, SR is their mean."""

import pytest
import torch

from srmodels import models
from srmodels.models.srresnet import Settings

SMALL = {"num_blocks": 2, "channels": 16, "norm": "none", "edge_kernel": 3, "residual": "bicubic"}


def network(members, **changes):
    torch.manual_seed(0)
    return models.build("srresnet", Settings(**SMALL | changes, members=members))


def alone(net, member, **changes):
    """One member as a network of its own."""
    one = network(1, **changes)
    prefix = f"others.{member - 1}." if member else ""
    state = net.state_dict()
    one.load_state_dict({key: state[prefix + key] for key in one.state_dict()})
    return one


@pytest.mark.parametrize("changes", [{}, {"equivariance": "p4m", "upsampler": "direct"}])
def test_sr_is_the_mean_of_the_members(changes):
    net, lr = network(3, **changes).eval(), torch.rand(2, 3, 6, 9)
    with torch.no_grad():
        pictures = [alone(net, member, **changes).eval()(lr) for member in range(3)]
        torch.testing.assert_close(net(lr), torch.stack(pictures).mean(0))
    assert not torch.allclose(pictures[0], pictures[1])


@pytest.mark.parametrize("crops", [2, 3, 4, 7])
def test_in_training_each_crop_is_one_members(crops):
    net, lr = network(2).train(), torch.rand(crops, 3, 6, 6)
    first = (crops + 1) // 2
    shares = [alone(net, 0)(lr[:first]), alone(net, 1)(lr[first:])]
    torch.testing.assert_close(net(lr), torch.cat(shares))


def test_a_member_learns_nothing_of_the_others_share():
    net = network(2).train()
    net(torch.rand(4, 3, 6, 6))[:2].sum().backward()
    for name, parameter in net.named_parameters():
        has_gradient = parameter.grad is not None and bool(parameter.grad.any())
        assert has_gradient == (not name.startswith("others.")), name


def test_one_member_has_the_weights_it_always_had():
    assert not [name for name in network(1).state_dict() if name.startswith("others")]


def test_an_ensemble_without_members_is_refused():
    with pytest.raises(ValueError, match="members must be 1 or more"):
        Settings(members=0)
