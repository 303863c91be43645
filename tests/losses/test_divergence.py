import pytest
import torch
from torch.distributions import Normal, kl_divergence

from srmodels.losses.divergence import gaussian_kl, kl_per_image
from srmodels.models._latent import Gaussian

SHAPE = (3, 4, 2, 5)


@pytest.fixture
def pair():
    return tuple(Gaussian(2 * torch.randn(SHAPE), torch.randn(SHAPE)) for _ in range(2))


def normal(each: Gaussian) -> Normal:
    return Normal(each.mean, torch.exp(each.log_variance / 2))


def test_the_divergence_equals_torchs_own(pair):
    posterior, prior = pair
    wanted = kl_divergence(normal(posterior), normal(prior))
    torch.testing.assert_close(gaussian_kl(posterior, prior), wanted, rtol=1e-4, atol=1e-5)


def test_equal_distributions_do_not_diverge(pair):
    assert gaussian_kl(pair[0], pair[0]).abs().max() < 1e-6


def test_the_farthest_distributions_there_are_diverge_finitely():
    far = Gaussian(torch.full(SHAPE, 10.0), torch.full(SHAPE, 8.0))
    near = Gaussian(torch.full(SHAPE, -10.0), torch.full(SHAPE, -8.0))
    assert gaussian_kl(far, near).isfinite().all()


def test_an_image_diverges_by_the_sum_over_its_latent(pair):
    wanted = kl_divergence(normal(pair[0]), normal(pair[1])).flatten(1).sum(1).mean()
    torch.testing.assert_close(kl_per_image(gaussian_kl(*pair)), wanted)


def test_a_larger_batch_does_not_weigh_more(pair):
    divergences = gaussian_kl(*pair)
    doubled = torch.cat([divergences, divergences])
    torch.testing.assert_close(kl_per_image(doubled), kl_per_image(divergences))


def test_free_bits_equal_the_papers_formula(pair):
    divergences = gaussian_kl(*pair)
    floor = divergences.mean().item()
    wanted = 0.0
    for channel in range(SHAPE[1]):  # eq. 15: a group is a channel, lambda for each number of it
        group = sum(divergences[image, channel].sum().item() for image in range(SHAPE[0]))
        wanted += max(floor * SHAPE[2] * SHAPE[3], group / SHAPE[0])
    assert kl_per_image(divergences, free_bits=floor).item() == pytest.approx(wanted, rel=1e-5)


def test_a_channel_below_its_free_bits_is_not_pulled():
    divergences = torch.tensor([0.1, 3.0]).view(1, 2, 1, 1).requires_grad_()
    kl_per_image(divergences, free_bits=0.5).backward()
    assert divergences.grad.flatten().tolist() == [0, 1]
