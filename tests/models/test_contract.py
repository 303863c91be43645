"""The contract of every network in srmodels/models."""

import dataclasses
import inspect

import pytest
import torch
from torch import nn

from srmodels import models
from srmodels.config import check
from srmodels.machine import without_tf32
from tests.models.outputs import images_for, training_outputs

GENERATORS = models.names("generator")
DISCRIMINATORS = models.names("discriminator")
DEGRADERS = models.names("degrader")


@pytest.fixture
def small(small_settings):
    def build(network: str, **changes: object) -> nn.Module:
        return models.build(network, small_settings(network, **changes)).eval()

    return build


@pytest.mark.parametrize("network", models.names())
def test_a_module_offers_role_settings_and_one_network(network, small_settings):
    module = inspect.getmodule(type(models.build(network, small_settings(network))))
    own = [value for value in vars(module).values() if inspect.getmodule(value) is module]
    public = {value.__name__ for value in own if not value.__name__.startswith("_")}
    assert len(public) == 2
    assert public > {"Settings"}
    assert module.ROLE in ("generator", "discriminator", "degrader")


@pytest.mark.parametrize("scale", [2, 3, 4, 8])
@pytest.mark.parametrize("network", GENERATORS)
def test_output_is_scale_times_input_for_odd_sizes(network, scale, small):
    generator = small(network, scale=scale)
    with torch.no_grad():
        assert generator(torch.rand(2, 3, 5, 7)).shape == (2, 3, 5 * scale, 7 * scale)
    assert generator.scale == scale


@pytest.mark.parametrize("network", GENERATORS)
def test_a_picture_of_one_pixel_is_enlarged_too(network, small):
    with torch.no_grad():
        assert small(network)(torch.rand(1, 3, 1, 1)).shape == (1, 3, 4, 4)


@pytest.mark.parametrize("network", GENERATORS)
def test_a_new_generator_stays_near_its_input_range(network, small):
    with torch.no_grad():
        sr = small(network)(torch.rand(1, 3, 12, 12))
    assert sr.isfinite().all()
    assert sr.min() > -1
    assert sr.max() < 2


@pytest.mark.parametrize("network", DISCRIMINATORS)
def test_logits_are_one_number_or_one_map_an_image(network, small):
    discriminator = small(network)
    logits = discriminator(images_for(discriminator))
    assert logits.shape[:2] == (2, 1)
    assert logits.ndim in (2, 4)
    assert logits.isfinite().all()


@pytest.mark.parametrize("scale", [2, 3, 4, 8])
@pytest.mark.parametrize("network", DEGRADERS)
def test_a_degraders_output_is_its_input_over_scale(network, scale, small):
    degrader = small(network, scale=scale)
    with torch.no_grad():
        assert degrader(torch.rand(2, 3, 5 * scale, 7 * scale)).shape == (2, 3, 5, 7)
    assert degrader.scale == scale


@pytest.mark.parametrize("network", models.names())
def test_every_parameter_gets_a_gradient(network, small):
    built = small(network)
    outputs = training_outputs(built, images_for(built))
    torch.stack([(y * torch.randn_like(y)).sum() for y in outputs]).sum().backward()
    without = [n for n, p in built.named_parameters() if p.grad is None or not p.grad.any()]
    assert without == []


@pytest.mark.parametrize("network", models.names())
def test_a_device_gives_the_output_of_the_cpu(network, small, device):
    built = small(network)
    images = images_for(built)
    with torch.no_grad(), without_tf32():
        expected = built(images)
        found = built.to(device)(images.to(device))
    torch.testing.assert_close(found.cpu(), expected, rtol=1e-4, atol=1e-4)


@pytest.mark.parametrize("dtype", [torch.bfloat16, torch.float16])
@pytest.mark.parametrize("network", models.names())
def test_autocast_changes_the_output_by_rounding_only_and_gives_float32(
    network, dtype, small, device
):
    built = small(network).to(device)
    images = images_for(built).to(device)
    with torch.no_grad():
        exact = built(images)
        with torch.autocast(device.type, dtype):
            rounded = built(images)
    assert rounded.dtype == torch.float32
    assert (rounded - exact).abs().max() < 0.03 * max(1.0, exact.abs().max().item())


@pytest.mark.parametrize("network", models.names())
def test_one_seed_gives_one_network_and_one_output(network, small):
    torch.manual_seed(3)
    first = small(network)
    torch.manual_seed(3)
    second = small(network)
    images = images_for(first)
    with torch.no_grad():
        assert torch.equal(first(images), second(images))


@pytest.mark.parametrize("network", models.names())
def test_channels_last_gives_the_same_output(network, small, device):
    built = small(network).to(device)
    images = images_for(built).to(device)
    with torch.no_grad(), without_tf32():
        plain = built(images)
        other = built.to(memory_format=torch.channels_last)(
            images.to(memory_format=torch.channels_last)
        )
    torch.testing.assert_close(other, plain, rtol=1e-4, atol=1e-4)


@pytest.mark.parametrize("network", models.names())
def test_a_network_of_attention_says_that_it_is_not_channels_last(network, small):
    built = small(network)
    attends = any(isinstance(layer, nn.LayerNorm) for layer in built.modules())
    assert getattr(built, "channels_last", True) != attends


@pytest.mark.parametrize("network", models.names())
def test_settings_pass_validation_unchanged(network, small_settings):
    settings = small_settings(network)
    section = models.settings_class(network)
    assert check(dataclasses.asdict(settings), section, network) == settings


@pytest.mark.parametrize("network", GENERATORS)
def test_an_unsupported_scale_is_refused(network):
    with pytest.raises(ValueError, match="scale must be"):
        models.settings_class(network)(scale=5)
