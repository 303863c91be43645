"""The classifiers against torchvision's, with drawn weights."""

import pytest
import torch
import torchvision
from torchvision.transforms import Normalize

from srmodels.pretrained.feature_network import FeatureNetwork, layer_index

NETWORKS = ["alexnet", "vgg16", "vgg19"]


def drawn(network, layers):
    built = FeatureNetwork(network, layers)
    shapes = {key: tensor.shape for key, tensor in built.features.state_dict().items()}
    return built.load({key: 0.1 * torch.randn(shape) for key, shape in shapes.items()})


@pytest.mark.parametrize("network", NETWORKS)
def test_every_layer_equals_torchvisions(network):
    index = layer_index(network)
    ours = drawn(network, index)
    with torch.device("meta"):
        theirs = getattr(torchvision.models, network)().features[: len(index)]
    theirs.load_state_dict(ours.features.state_dict(), assign=True)
    for layer in theirs:
        if isinstance(layer, torch.nn.ReLU):
            layer.inplace = False
    images = torch.rand(2, 3, 64, 64)
    expected = Normalize((0.485, 0.456, 0.406), (0.229, 0.224, 0.225))(images)
    found = ours(images)
    assert list(found) == list(index)
    for name, layer in zip(index, theirs, strict=True):
        expected = layer(expected)
        torch.testing.assert_close(found[name], expected)


@pytest.mark.parametrize("network", NETWORKS)
def test_a_convolution_is_not_overwritten_by_its_activation(network):
    names = [name for name in layer_index(network) if not name.startswith("pool")]
    found = drawn(network, names)(torch.rand(1, 3, 64, 64))
    for name in names:
        if name.startswith("relu"):
            before = found[name.replace("relu", "conv")]
            torch.testing.assert_close(found[name], before.relu())


def test_no_layer_deeper_than_needed_is_built():
    assert len(FeatureNetwork("vgg19", ["conv1_2", "relu2_1"]).features) == 7


def test_it_stays_frozen_and_in_evaluation_mode():
    network = drawn("vgg16", ["relu1_2"]).train()
    assert not network.training
    assert not any(parameter.requires_grad for parameter in network.parameters())
