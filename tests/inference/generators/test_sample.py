"""A sample is one photograph: its tiles share a latent."""

import numpy as np
import pytest
import torch

from srmodels import models
from srmodels.inference.generators.generator import Generator
from srmodels.inference.tiling.upscale import upscaler
from tests.inference.small import small

NETWORKS = [name for name in models.names("generator") if models.latent(name)]


@pytest.fixture(params=NETWORKS)
def network(request):
    """Weights large enough for samples to differ much."""
    built = small(request.param)
    with torch.no_grad():
        for parameter in built.parameters():
            parameter.mul_(1.5)
    return built


def sample(network, lr, *, tile=256, **options):
    generator = Generator(network=network, name="vae", scale=network.scale, tile=tile)
    return generator.sample(lr, **options)


def seeded(seed=0):
    return torch.Generator().manual_seed(seed)


def test_samples_differ_and_a_seed_repeats_one(network, photo):
    first, again, other = (sample(network, photo, generator=seeded(seed)) for seed in (1, 1, 2))
    np.testing.assert_array_equal(first, again)
    assert np.abs(first.astype(int) - other).mean() > 2


@pytest.mark.parametrize("size", [(90, 77), (64, 96), (33, 65)])
def test_a_sample_made_of_tiles_is_the_whole_one(network, photo, size):
    lr = photo[: size[0], : size[1]]
    whole, tiled = (sample(network, lr, generator=seeded(), tile=tile) for tile in (256, 32))
    difference = np.abs(whole.astype(int) - tiled)
    assert difference.max() <= 1
    assert (difference > 0).mean() < 1e-3  # rounding of ties, float noise


def test_a_temperature_of_0_gives_what_the_priors_mean_gives(network, photo):
    made = sample(network, photo, generator=seeded(), temperature=0.0)
    np.testing.assert_array_equal(made, upscaler(4)(network, photo))


def test_a_whole_picture_in_one_tile_is_what_the_network_samples(network, photo):
    lr = torch.from_numpy(photo[:64, :64] / np.float32(255)).permute(2, 0, 1)[None]
    with torch.inference_mode():
        noise = torch.randn(network.prior_of(lr)[0].mean.shape, generator=seeded())
        expected = network.sample(lr, noise=noise)[0].clamp(0, 1).mul(255).add(0.5).floor()
    made = sample(network, photo[:64, :64], generator=seeded())
    assert np.abs(made - expected.permute(1, 2, 0).numpy()).max() <= 1


def test_a_picture_of_one_pixel_has_samples(network):
    assert sample(network, np.full((1, 1, 3), 9, np.uint8)).shape == (4, 4, 3)
