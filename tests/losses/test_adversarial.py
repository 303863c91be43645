"""Against transcriptions of the papers' formulas, written as they stand there."""

import pytest
import torch
from torch import log, sigmoid

from srmodels.losses.adversarial import discriminator_loss, generator_loss, needs_real

KINDS = ["vanilla", "least_squares", "relativistic_average"]


def transcribed_generator(kind, fake, real):
    if kind == "vanilla":
        return -log(sigmoid(fake)).mean()
    if kind == "least_squares":
        return ((fake - 1) ** 2).mean()
    real_than_fake = sigmoid(real - fake.mean())
    fake_than_real = sigmoid(fake - real.mean())
    return -log(1 - real_than_fake).mean() - log(fake_than_real).mean()


def transcribed_discriminator(kind, fake, real):
    if kind == "vanilla":
        return -log(sigmoid(real)).mean() - log(1 - sigmoid(fake)).mean()
    if kind == "least_squares":
        return 0.5 * (((real - 1) ** 2).mean() + (fake**2).mean())
    real_than_fake = sigmoid(real - fake.mean())
    fake_than_real = sigmoid(fake - real.mean())
    return -log(real_than_fake).mean() - log(1 - fake_than_real).mean()


@pytest.fixture(params=[(4, 1), (2, 1, 5, 3)], ids=["numbers", "maps"])
def logits(request):
    return {"fake": 2 * torch.randn(request.param), "real": 2 * torch.randn(request.param)}


@pytest.mark.parametrize("kind", KINDS)
def test_the_generators_loss_equals_the_papers_formula(kind, logits):
    wanted = transcribed_generator(kind, **logits)
    torch.testing.assert_close(generator_loss(kind, **logits), wanted)


@pytest.mark.parametrize("kind", KINDS)
def test_the_discriminators_loss_equals_the_papers_formula(kind, logits):
    wanted = transcribed_discriminator(kind, **logits)
    torch.testing.assert_close(discriminator_loss(kind, **logits), wanted)


@pytest.mark.parametrize("kind", KINDS)
def test_losses_and_gradients_stay_finite_for_huge_logits(kind):
    fake, real = (torch.tensor([[200.0], [-200.0]], requires_grad=True) for _ in range(2))
    loss = generator_loss(kind, fake=fake, real=real) + discriminator_loss(
        kind, fake=fake, real=real
    )
    loss.backward()
    assert loss.isfinite()
    assert fake.grad.isfinite().all()


@pytest.mark.parametrize("kind", KINDS)
def test_the_generator_needs_real_images_only_where_it_says_so(kind):
    fake = torch.randn(2, 1)
    if needs_real(kind):
        with pytest.raises(AssertionError, match="pass both"):
            generator_loss(kind, fake=fake)
    else:
        assert generator_loss(kind, fake=fake).isfinite()


def test_both_terms_of_the_relativistic_loss_reach_the_generator():
    fake, real = torch.randn(3, 1, requires_grad=True), torch.randn(3, 1)
    found = torch.autograd.grad(generator_loss("relativistic_average", fake=fake, real=real), fake)
    alone = torch.autograd.grad(-log(sigmoid(fake - real.mean())).mean(), fake)
    assert not torch.allclose(found[0], alone[0])


@pytest.mark.parametrize("kind", KINDS)
def test_fooling_the_discriminator_lowers_the_generators_loss(kind):
    real = torch.ones(2, 1)
    fooled = generator_loss(kind, fake=torch.ones(2, 1), real=real)
    assert fooled < generator_loss(kind, fake=torch.zeros(2, 1), real=real)
