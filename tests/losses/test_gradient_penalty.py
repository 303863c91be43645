"""R1 against the formula, by finite differences, and in float32 under autocast."""

import pytest
import torch
from lightning_fabric import Fabric
from torch import nn

from srmodels import models
from srmodels.losses.gradient_penalty import r1

IMAGES = (2, 3, 24, 24)
DISCRIMINATORS = {
    "patch_discriminator": {"channels": 8, "num_stages": 2},
    "unet_discriminator": {"channels": 8},
}


class Linear(nn.Module):
    """Logits <weight, image>: the gradient is the weight."""

    def __init__(self):
        super().__init__()
        self.weight = nn.Parameter(torch.randn(IMAGES[1:]))

    def forward(self, images):
        return (self.weight * images).sum((1, 2, 3))[:, None]


def make(network):
    return models.build(network, models.settings_class(network)(**DISCRIMINATORS[network]))


def test_a_linear_discriminators_penalty_is_half_its_squared_weight():
    network = Linear()
    penalty = r1(network, torch.rand(IMAGES))
    torch.testing.assert_close(penalty, network.weight.square().sum() / 2)
    penalty.backward()
    torch.testing.assert_close(network.weight.grad, network.weight.detach())


@pytest.mark.parametrize("name", DISCRIMINATORS)
def test_it_equals_finite_differences_of_each_images_logits(name):
    network = make(name).eval().double()
    real = torch.rand(2, 3, 8, 8, dtype=torch.float64)
    steps = 1e-5 * torch.eye(3 * 8 * 8, dtype=torch.float64).view(-1, 3, 8, 8)
    with torch.no_grad():
        slopes = [
            (network(each + steps) - network(each - steps)).flatten(1).sum(1) / 2e-5
            for each in real
        ]
    wanted = torch.stack(slopes).square().sum(1).mean() / 2
    torch.testing.assert_close(r1(network, real), wanted, rtol=1e-4, atol=0)


@pytest.mark.parametrize("name", DISCRIMINATORS)
def test_it_pulls_on_every_weight_of_a_spectral_norm_discriminator(name):
    network = make(name)
    r1(network, torch.rand(IMAGES)).backward()
    # not on biases: such a network is linear wherever no activation switches
    weights = [each for key, each in network.named_parameters() if not key.endswith("bias")]
    assert all(each.grad.isfinite().all() and each.grad.any() for each in weights)


def test_images_that_come_from_a_generator_get_no_gradient():
    made = torch.rand(IMAGES, requires_grad=True)
    r1(Linear(), 2 * made).backward()
    assert made.grad is None


def test_a_network_in_fabrics_bfloat16_is_penalised_in_float32():
    network = make("patch_discriminator").eval()
    real = torch.rand(IMAGES)
    plain = r1(network, real)
    wrapped = Fabric(accelerator="cpu", precision="bf16-mixed").setup_module(network)
    with torch.autocast("cpu", dtype=torch.bfloat16):
        assert r1(wrapped, real) == plain
