"""TrunkTail generators: trunk and tail together equal forward, and their paddings are exact."""

import importlib
import inspect

import pytest
import torch
from torch import nn

from srmodels import models
from srmodels.models._trunk_tail import TrunkTail
from tests.models.test_reach import averaging


def is_split(name) -> bool:
    module = importlib.import_module(f"srmodels.models.{name}")
    kinds = [kind for kind in vars(module).values() if inspect.isclass(kind)]
    return any(kind.__module__ == module.__name__ and issubclass(kind, TrunkTail) for kind in kinds)


SPLIT = [name for name in models.names("generator") if is_split(name)]


def test_the_convolutional_generators_have_trunk_and_tail():
    assert {"cyclegan_up", "edsr", "rrdbnet", "span", "srresnet", "srvgg"} <= set(SPLIT)
    assert not {"srcnn", "swinir", "srvae", "cvae"} & set(SPLIT)


@pytest.mark.parametrize("scale", [2, 3, 4, 8])
@pytest.mark.parametrize("name", SPLIT)
def test_the_tail_of_the_trunk_is_the_whole_network(name, scale, small_settings):
    network = models.build(name, small_settings(name, scale=scale)).eval()
    lr = torch.rand(2, 3, 6, 9)
    with torch.no_grad():
        features = network.features_of(lr)
        assert features.shape[2:] == lr.shape[2:]
        assert torch.equal(network.sr_of(features, lr), network(lr))


@pytest.mark.parametrize("name", SPLIT)
def test_a_feature_depends_on_as_much_lr_as_its_padding_says(name, small_settings):
    network = averaging(models.build(name, small_settings(name)))
    middle = network.trunk_padding + 2
    lr = torch.ones(1, 3, 3, 2 * middle + 1, dtype=torch.float64).requires_grad_()
    network.features_of(lr)[..., middle].sum().backward()
    along = lr.grad.abs().sum((0, 1, 2)).nonzero()
    assert (along - middle).abs().max() == network.trunk_padding


@pytest.mark.parametrize("scale", [2, 3, 4, 8])
@pytest.mark.parametrize("name", SPLIT)
def test_a_padded_tile_of_features_gives_the_pixels_of_the_whole(name, scale, small_settings):
    network: nn.Module = models.build(name, small_settings(name, scale=scale)).eval()
    lr = torch.rand(1, 3, 5, 30)
    with torch.no_grad():
        features, whole = network.features_of(lr), network(lr)
        for start in (6, 7):
            tile = network.sr_of(features[..., start:], lr[..., start:])
            inside = network.tail_padding * scale
            place = whole[..., start * scale + inside :]
            torch.testing.assert_close(tile[..., inside:], place, rtol=1e-4, atol=1e-5)
