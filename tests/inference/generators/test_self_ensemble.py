"""The mean of eight: of floats, of each picture turned back, and of the generator's own samples."""

import numpy as np
import pytest
import torch
from torch import nn

from srmodels.inference.generators.generator import Generator
from srmodels.inference.generators.self_ensemble import SelfEnsemble, add_self_ensemble
from srmodels.resize.tensors import enlarge, to_image, to_tensor
from tests.inference.small import small


def of(network, scale=4):
    generator = Generator(network=network, name="srcnn", scale=scale)
    return generator, SelfEnsemble(**vars(generator))


class Leaning(nn.Module):
    """Bicubic with a ramp from left to right, which the mean over all turns must level."""

    padding, multiple, scale = 8, 1, 4

    def forward(self, lr):
        sr = enlarge(lr, 4)
        return sr + torch.linspace(-0.1, 0.1, sr.shape[3])


def test_what_depends_on_the_direction_cancels(photo):
    middle = photo[:40, :52] // 2 + 64
    generator, ensemble = of(Leaning())
    expected = to_image(enlarge(to_tensor(middle), 4))
    assert np.abs(ensemble(middle).astype(int) - expected).max() <= 1
    assert np.abs(generator(middle).astype(int) - expected).max() > 20


def test_a_network_without_direction_gives_its_own_sr(photo):
    class Bicubic(Leaning):
        def forward(self, lr):
            return enlarge(lr, 4)

    generator, ensemble = of(Bicubic())
    assert np.abs(ensemble(photo).astype(int) - generator(photo)).max() <= 1


def test_the_mean_is_that_of_eight_floats(photo):
    lr = photo[:21, :30]
    network = small("srcnn")
    with torch.inference_mode():
        each = [
            network(to_tensor(lr).rot90(turns, (2, 3)).flip(axes)).flip(axes).rot90(-turns, (2, 3))
            for turns in range(4)
            for axes in ((), (3,))
        ]
    expected = to_image(torch.stack(each).mean(0))
    assert np.abs(of(network)[1](lr).astype(int) - expected).max() <= 1


def test_it_is_named_beside_the_generator():
    first, last = of(small("srcnn"))[0], of(small("srcnn"))[0]
    rows = add_self_ensemble({"pretrained": first, "generator": last})
    assert list(rows) == ["pretrained", "generator", "generator+x8"]
    assert rows["generator+x8"].network is last.network


@pytest.mark.parametrize("name", ["srcnn", "srvae"])
def test_its_samples_and_parameters_are_the_generators(name, photo):
    generator, ensemble = of(small(name))
    assert (ensemble.parameters, ensemble.scale) == (generator.parameters, 4)
    assert ensemble.has_samples is generator.has_samples
    if ensemble.has_samples:
        first, second = (
            each.sample(photo, generator=torch.Generator().manual_seed(1), temperature=1.0)
            for each in (generator, ensemble)
        )
        np.testing.assert_array_equal(first, second)
