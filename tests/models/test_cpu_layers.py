"""Layers with an own backward pass on a CPU compute what PyTorch's compute."""

import copy

import pytest
import torch
from torch import Tensor, nn

from srmodels.models import build
from srmodels.models._cpu_layers import PixelShuffle, PReLU
from tests.inference.small import small_settings

FORMATS = (torch.contiguous_format, torch.channels_last)


def random(*shape: int, dtype: torch.dtype, memory: torch.memory_format, seed: int = 0) -> Tensor:
    values = torch.randn(shape, generator=torch.Generator().manual_seed(seed))
    return values.to(dtype).contiguous(memory_format=memory)


def gradients(layer: nn.Module, features: Tensor, change: Tensor) -> list[Tensor]:
    """The layer's result, and the gradients of its input and weights."""
    features = features.clone().requires_grad_()
    with torch.autocast("cpu", torch.bfloat16, enabled=features.dtype == torch.bfloat16):
        result = layer(features)
    wanted = [features, *layer.parameters()]
    return [result, *torch.autograd.grad(result, wanted, change)]


@pytest.mark.parametrize("memory", FORMATS)
@pytest.mark.parametrize("dtype", [torch.float32, torch.bfloat16])
@pytest.mark.parametrize("slopes", [[0.25], [-0.5], [1.75], [0.1, -0.3, 0.0, 1.0, 2.0, 0.25]])
def test_prelu(slopes: list[float], dtype: torch.dtype, memory: torch.memory_format) -> None:
    features = random(3, 6, 5, 7, dtype=dtype, memory=memory)
    features[0, :, 0] = 0  # where the slope decides
    change = random(3, 6, 5, 7, dtype=dtype, memory=memory, seed=1)
    ours, theirs = PReLU(len(slopes)), nn.PReLU(len(slopes))
    for layer in (ours, theirs):
        layer.weight.data = torch.tensor(slopes)
    result, of_features, of_slopes = gradients(ours, features, change)
    expected = gradients(theirs, features, change)
    assert torch.equal(result, expected[0])
    assert of_slopes.dtype == torch.float32
    last_digits = {"rtol": 0.02, "atol": 0.05} if dtype == torch.bfloat16 else {}
    torch.testing.assert_close(of_features, expected[1], **last_digits)
    torch.testing.assert_close(of_slopes, expected[2], **last_digits)


@pytest.mark.parametrize("memory", FORMATS)
@pytest.mark.parametrize("dtype", [torch.float32, torch.bfloat16])
@pytest.mark.parametrize(("factor", "channels"), [(2, 4), (3, 1), (4, 3)])
def test_pixel_shuffle_is_equal_bit_for_bit(
    factor: int, channels: int, dtype: torch.dtype, memory: torch.memory_format
) -> None:
    features = random(2, channels * factor**2, 5, 3, dtype=dtype, memory=memory)
    size = (2, channels, 5 * factor, 3 * factor)
    change = random(*size, dtype=dtype, memory=memory, seed=1)
    expected = gradients(nn.PixelShuffle(factor), features, change)
    ours = gradients(PixelShuffle(factor), features, change)
    assert all(torch.equal(*pair) for pair in zip(ours, expected, strict=True))


@pytest.mark.parametrize("layer", [PReLU(4), PixelShuffle(2)])
def test_evaluation_is_pytorchs_own(layer: nn.Module) -> None:
    features = random(1, 4, 4, 4, dtype=torch.float32, memory=torch.channels_last)
    features.requires_grad_()
    trained = layer.train()(features).grad_fn
    evaluated = layer.eval()(features).grad_fn
    assert type(trained).__name__.startswith("_P")  # an autograd.Function of this project
    assert type(evaluated).__name__ in ("PreluKernelBackward0", "PixelShuffleBackward0")


def with_pytorchs_shuffles(network: nn.Module) -> nn.Module:
    """The network, each PixelShuffle replaced by PyTorch's own."""
    for name, layer in list(network.named_modules()):
        if isinstance(layer, PixelShuffle):
            network.set_submodule(name, nn.PixelShuffle(layer.upscale_factor))
    return network


@pytest.mark.parametrize("memory", FORMATS)
@pytest.mark.parametrize("dtype", [torch.float32, torch.bfloat16])
@pytest.mark.parametrize("scale", [3, 4])
def test_rrdbnet_trains_as_with_pytorchs_pixel_shuffle(
    scale: int, dtype: torch.dtype, memory: torch.memory_format
) -> None:
    settings = small_settings("rrdbnet", scale=scale, upsampler="pixelshuffle")
    ours = build("rrdbnet", settings).to(memory_format=memory)
    shuffles = sum(isinstance(layer, PixelShuffle) for layer in ours.modules())
    assert shuffles == (2 if scale == 4 else 1)
    assert not any("shuffle" in name for name in ours.state_dict())
    theirs = with_pytorchs_shuffles(copy.deepcopy(ours))
    lr = random(2, 3, 6, 5, dtype=torch.float32, memory=memory)
    change = random(2, 3, 6 * scale, 5 * scale, dtype=torch.float32, memory=memory, seed=1)
    results = []
    for network in (ours, theirs):
        with torch.autocast("cpu", torch.bfloat16, enabled=dtype == torch.bfloat16):
            sr = network(lr)
        results.append([sr, *torch.autograd.grad(sr, list(network.parameters()), change)])
    assert all(torch.equal(*pair) for pair in zip(*results, strict=True))


@pytest.mark.parametrize("slopes", [1, 4])
def test_gradient_of_a_gradient(slopes: int) -> None:
    layer = PReLU(slopes).double()
    features = random(2, 4, 3, 3, dtype=torch.float64, memory=torch.channels_last)
    features.requires_grad_()
    assert torch.autograd.gradcheck(layer, (features,))
    assert torch.autograd.gradgradcheck(layer, (features,))
