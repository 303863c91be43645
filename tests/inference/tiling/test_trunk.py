"""A trunk that rolls down a picture gives what the whole picture would."""

import pytest
import torch
from torch import nn

from srmodels.inference.tiling.trunk import FeatureBuffer, Trunk
from srmodels.models._trunk_tail import TrunkTail
from tests.inference.small import small

HEIGHT, WIDTH = 43, 9


def rolled(network, lr, band):
    trunk = Trunk(network, lr.shape[2], band)
    bands = list(lr.split(band, dim=2))
    found = []
    while sum(each.shape[2] for each in found) < lr.shape[2]:
        features = trunk.push(bands.pop(0) if bands else None)
        found += [] if features is None else [features]
    return found, trunk


@pytest.mark.parametrize(
    ("name", "more"),
    [
        ("cyclegan_up", {}),
        ("edsr", {}),
        ("rrdbnet", {}),
        ("srresnet", {}),
        ("srresnet", {"members": 2}),
    ],
)
@pytest.mark.parametrize("band", [1, 5, HEIGHT])
@torch.inference_mode()
def test_bands_are_the_whole_picture_cut(name, more, band):
    network, lr = small(name, num_blocks=2, **more), torch.rand(1, 3, HEIGHT, WIDTH)
    found, _ = rolled(network, lr, band)
    assert max(each.shape[2] for each in found) <= band
    torch.testing.assert_close(torch.cat(found, dim=2), network.features_of(lr))


@torch.inference_mode()
def test_a_trunk_keeps_as_much_as_it_says_and_no_more_further_down():
    network, kept = small("rrdbnet", num_blocks=2), []
    trunk = Trunk(network, 10**6, band=8)
    for _ in range(12):
        trunk.push(torch.rand(1, 3, 8, 2))
        buffers = [step.output for step in trunk._steps.values()]
        tensors = [buffer.rows() for buffer in buffers if buffer.end > buffer.first]
        kept.append(sum(tensor.untyped_storage().nbytes() for tensor in tensors) / 2)
    assert kept[-1] == kept[-2] == trunk.bytes_per_column()


class Strange(TrunkTail):
    trunk_padding = tail_padding = 1

    def __init__(self, layer):
        super().__init__()
        self.layer = layer

    def features_of(self, lr):
        return self.layer(lr)

    def sr_of(self, features, lr):
        return features


@pytest.mark.parametrize(
    "layer", [nn.MaxPool2d(3, 1, 1), nn.Conv2d(3, 3, 3, 2, 1), nn.Conv2d(3, 3, 3), nn.Softmax(2)]
)
def test_a_layer_that_cannot_be_rolled_is_a_programmers_fault(layer):
    with pytest.raises(AssertionError, match="a trunk cannot have"):
        Trunk(Strange(layer), 8, band=8)


def test_buffered_rows_go_by_their_number():
    buffer = FeatureBuffer(first=10)
    buffer.append(torch.arange(4.0).view(1, 1, 4, 1))
    buffer.append(torch.arange(4.0, 6).view(1, 1, 2, 1))
    buffer.drop_before(13)
    assert (buffer.first, buffer.end) == (13, 16)
    assert buffer.rows(14, 16).flatten().tolist() == [4, 5]
