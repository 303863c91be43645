import copy

import torch
from torch import nn

from srmodels.engine.sync_batch_norm import _SyncBatchNorm2d, sync_batch_norm


def pair():
    """PyTorch's layer with statistics of its own, and ours with the same."""
    plain = nn.BatchNorm2d(3)
    nn.init.normal_(plain.weight)
    nn.init.normal_(plain.bias)
    ours = copy.deepcopy(plain)
    ours.__class__ = _SyncBatchNorm2d
    return plain, ours


def test_alone_it_is_pytorchs_batch_norm_with_its_gradients_and_statistics() -> None:
    plain, ours = pair()
    x = torch.randn(4, 3, 5, 6) + 7
    pull = torch.randn_like(x)
    gradients = []
    for layer in (plain, ours):
        images = x.clone().requires_grad_()
        (layer(images) * pull).sum().backward()
        gradients.append([images.grad, layer.weight.grad, layer.bias.grad, *layer.buffers()])
    for wanted, found in zip(*gradients, strict=True):
        torch.testing.assert_close(found, wanted, rtol=1e-4, atol=1e-5)


def test_in_eval_mode_it_uses_what_it_remembers() -> None:
    plain, ours = pair()
    x = torch.randn(2, 3, 4, 4)
    assert torch.equal(ours.eval()(x), plain.eval()(x))


def test_where_one_process_trains_networks_stay_as_they_are() -> None:
    network = nn.Sequential(nn.Conv2d(3, 3, 1), nn.BatchNorm2d(3))
    assert type(sync_batch_norm(network)[1]) is nn.BatchNorm2d
