"""LPIPS against torchmetrics', given the same ImageNet weights, and against published scores."""

import numpy as np
import pytest
import torch

from srmodels.evaluation.metrics import vgg16
from srmodels.evaluation.metrics.lpips import MIN_SIDE, Lpips
from srmodels.images.readers.folder import whole_images
from srmodels.resize.tensors import to_tensor
from tests.evaluation.metrics.conftest import bicubic

NETWORKS = {"alexnet": "alex", "vgg16": "vgg"}


@pytest.fixture
def distance(pretrained, device):
    def opened(network):
        pretrained(network)
        metric = Lpips(network, device=device)
        return lambda images: metric(images.to(device))

    return opened


def torchmetrics_lpips(network, state):
    """torchmetrics' heads on our convolutions, which it would download."""
    lpips = pytest.importorskip("torchmetrics.functional.image.lpips")
    theirs = lpips._LPIPS(net=NETWORKS[network], pnet_rand=True)
    for key, tensor in theirs.net.named_parameters():
        _, index, kind = key.split(".")  # slice1.0.weight
        tensor.data = state[f"features.{index}.{kind}"]
    return theirs.eval()


@pytest.mark.parametrize("network", NETWORKS)
def test_it_equals_torchmetrics(network, distance, pretrained, pair):
    theirs = torchmetrics_lpips(network, pretrained(network))
    expected = theirs(pair[1:], pair[:1], normalize=True).item()
    assert distance(network)(pair) == pytest.approx([expected], abs=1e-6)


@pytest.mark.parametrize("network", NETWORKS)
def test_equal_pictures_have_no_distance(network, distance, pair):
    assert distance(network)(torch.cat([pair, pair[:1]]))[1] == 0


def test_strips_of_vgg16_give_what_the_whole_picture_gives(distance, pair, monkeypatch):
    vgg = distance("vgg16")
    whole = vgg(pair)
    monkeypatch.setattr(vgg16, "_PIXELS", 2000)
    assert vgg(pair) == pytest.approx(whole, abs=1e-6)


@pytest.mark.parametrize("network", NETWORKS)
def test_the_smallest_picture_is_scored(network, distance):
    assert distance(network)(torch.rand(2, 3, MIN_SIDE, MIN_SIDE))[0] > 0


@pytest.mark.slow
@pytest.mark.parametrize(
    ("name", "network", "published"),
    [("Set5", "alexnet", 0.3407), ("Set5", "vgg16", 0.2814), ("BSD100", "alexnet", 0.5255)],
)
def test_bicubic_is_the_published_one(name, network, published, shared, distance):
    """Published with AlexNet: .341 and .525."""
    metric = distance(network)
    images = whole_images(shared / "data" / "benchmarks" / name)
    scores = [
        metric(torch.cat([to_tensor(picture) for picture in bicubic(hr)]))[0] for _, hr in images
    ]
    assert np.mean(scores) == pytest.approx(published, abs=1e-4)
