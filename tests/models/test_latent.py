"""The contract of networks with a latent, beyond that of generators."""

import pytest
import torch

from srmodels import models
from srmodels.models._latent import Gaussian, gaussian
from srmodels.resize.tensors import enlarge

NETWORKS = ["cvae", "srvae"]


@pytest.fixture
def small(small_settings):
    def build(network, **changes):
        return models.build(network, small_settings(network, **changes)).eval()

    return build


@pytest.fixture
def pair():
    return torch.rand(2, 3, 7, 9), torch.rand(2, 3, 28, 36)


def test_the_published_cvae_is_ours_without_the_posteriors_encoder():
    built = models.build("cvae", models.settings_class("cvae")())
    counts = {n: sum(p.numel() for p in m.parameters()) for n, m in built.named_children()}
    assert counts["encoder"] + counts["decoder"] == 11_707_011
    assert set(counts) == {"encoder", "decoder", "posterior"}
    # the posterior's first layer also reads HR, folded to 48 channels at LR's size
    assert counts["posterior"] == counts["encoder"] + 64 * 9 * 48


def test_at_32_pixels_the_cvae_has_the_published_shapes():
    built = models.build("cvae", models.settings_class("cvae")()).eval()
    with torch.no_grad():
        prior, features = built.prior_of(torch.rand(1, 3, 32, 32))
    assert prior.mean.shape == (1, 256, 1, 1)
    assert [tuple(f.shape[1:]) for f in features] == [
        (64, 32, 32),
        (128, 16, 16),
        (256, 8, 8),
        (512, 4, 4),
    ]


@pytest.mark.parametrize("network", NETWORKS)
def test_lr_alone_gives_the_same_sr_every_time(network, small, pair):
    built = small(network)
    with torch.no_grad():
        assert torch.equal(built(pair[0]), built(pair[0]))


@pytest.mark.parametrize("network", NETWORKS)
def test_lr_alone_gives_the_sr_of_the_priors_mean(network, small, pair):
    built = small(network)
    with torch.no_grad():
        assert torch.equal(built(pair[0]), built.sample(pair[0], temperature=0.0))


@pytest.mark.parametrize("network", NETWORKS)
def test_samples_differ_and_a_seed_repeats_one(network, small, pair):
    built = small(network)
    with torch.no_grad():
        samples = []
        for seed in (1, 2, 1):
            torch.manual_seed(seed)
            samples.append(built.sample(pair[0]))
    first, second, again = samples
    assert first.shape == pair[1].shape
    assert torch.equal(first, again)
    assert (first - second).abs().max() > 1e-3


@pytest.mark.parametrize("network", NETWORKS)
def test_a_sample_of_given_noise_draws_nothing(network, small, pair):
    with torch.no_grad():
        built = small(network)
        noise = torch.zeros_like(built.prior_of(pair[0])[0].mean)
        before = torch.get_rng_state()
        built.sample(pair[0], noise=noise)
    assert torch.equal(before, torch.get_rng_state())


@pytest.mark.parametrize("network", NETWORKS)
def test_the_posterior_sees_hr_and_the_prior_does_not(network, small, pair):
    built = small(network)
    lr, hr = pair
    with torch.no_grad():
        one, other = built(lr, hr), built(lr, 1 - hr)
    assert not torch.allclose(one.posterior.mean, other.posterior.mean)
    assert torch.equal(one.prior.mean, other.prior.mean)
    assert one.sr.shape == hr.shape


@pytest.mark.parametrize("scale", [2, 3, 4, 8])
@pytest.mark.parametrize("network", NETWORKS)
def test_a_reconstruction_fits_hr_at_every_scale(network, scale, small):
    with torch.no_grad():
        hr = torch.rand(1, 3, 5 * scale, 3 * scale)
        output = small(network, scale=scale)(torch.rand(1, 3, 5, 3), hr)
    assert output.sr.shape == hr.shape
    assert output.posterior.mean.shape == output.prior.mean.shape


@pytest.mark.parametrize("network", NETWORKS)
def test_a_new_prior_is_nearly_standard_and_a_new_posterior_stands_out_from_its_noise(
    network, small_settings
):
    settings = small_settings(network, channels=32, latent_channels=16)
    with torch.no_grad():
        output = models.build(network, settings)(torch.rand(4, 3, 16, 16), torch.rand(4, 3, 64, 64))
    assert output.prior.mean.square().mean() < 0.05
    assert output.prior.log_variance.abs().mean() < 0.3
    assert output.posterior.mean.square().mean() > 0.05


def test_a_drawn_latent_has_the_distributions_mean_and_deviation():
    shape = (1, 1, 100, 100)
    drawn = Gaussian(torch.full(shape, 3.0), torch.full(shape, 0.25).log()).draw()
    assert drawn.mean() == pytest.approx(3, abs=0.02)
    assert drawn.std() == pytest.approx(0.5, abs=0.02)


def test_the_logarithm_of_a_variance_stays_bounded_and_keeps_its_gradient():
    moments = torch.tensor([[0.0, -30.0, 0.01, 30.0]]).view(1, 4, 1, 1).requires_grad_()
    normal = gaussian(moments)
    normal.log_variance.sum().backward()
    assert normal.mean.flatten().tolist() == [0, -30]
    assert normal.log_variance.flatten().tolist() == pytest.approx([0.01, 8], abs=0.01)
    assert (moments.grad[0, 2:] > 0).all()


@pytest.mark.parametrize("norm", ["batch", "none"])
def test_a_cvae_with_a_bicubic_residual_begins_near_it(norm, small):
    lr = torch.rand(1, 3, 9, 9)
    with torch.no_grad():
        difference = small("cvae", residual="bicubic", norm=norm)(lr) - enlarge(lr, 4)
    assert difference.abs().mean() < 0.1


@pytest.mark.parametrize("window_size", [0, 4, 12])
def test_a_window_the_cvae_cannot_halve_three_times_is_refused(window_size):
    with pytest.raises(ValueError, match="window_size must be a multiple of 8"):
        models.settings_class("cvae")(window_size=window_size)
