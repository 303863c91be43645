"""A tile with `padding` LR pixels around it gives the same pixels as the whole picture."""

from itertools import product

import pytest
import torch
from torch import nn

from srmodels import models

GENERATORS = models.names("generator")
SRRESNETS = [
    *(
        {"upsampler": upsampler, "edge_kernel": kernel, "scale": scale}
        for upsampler, kernel, scale in product(
            ("pixelshuffle", "direct", "nearest_conv"), (3, 9), (2, 3, 4, 8)
        )
    ),
    {"upsampler": "direct", "edge_kernel": 3, "residual": "bicubic"},
]
SRCNNS = [
    {"kernels": kernels, "scale": scale}
    for kernels, scale in product([(9, 1, 5), (9, 5, 5), (1, 1, 1)], (2, 3, 4, 8))
]
CASES = [
    *(("srresnet", {"num_blocks": 1, "channels": 2, **settings}) for settings in SRRESNETS),
    *(("srcnn", {"channels": (3, 3), **settings}) for settings in SRCNNS),
    *(("edsr", {"num_blocks": 1, "channels": 2, "scale": scale}) for scale in (2, 3, 4, 8)),
    *(
        (
            "rrdbnet",
            {"num_blocks": 1, "channels": 2, "growth_channels": 1, "upsampler": up, "scale": scale},
        )
        for up, scale in product(("nearest_conv", "pixelshuffle"), (2, 3, 4, 8))
    ),
    *(
        ("cyclegan_up", {"num_blocks": 1, "channels": 2, "edge_kernel": kernel, "scale": scale})
        for kernel, scale in product((1, 7), (2, 3, 4, 8))
    ),
    *(
        (
            "srvae",
            {
                "num_blocks": 1,
                "channels": 2,
                "latent_channels": 1,
                "upsampler": up,
                "scale": scale,
            },
        )
        for up, scale in product(("pixelshuffle", "direct"), (2, 3, 4, 8))
    ),
]


def averaging(network: nn.Module) -> nn.Module:
    """Sets positive weights that sum to 1, so no gradient vanishes at a ReLU or cancels."""
    with torch.no_grad():
        for parameter in network.parameters():
            parameter.fill_(1 / max(1, parameter[0].numel()) if parameter.ndim > 1 else 1.0)
    return network.double().eval()


def measured_reach(network: nn.Module, phase: int = 0) -> int:
    """LR pixels on either side of one LR pixel that its SR pixels depend on."""
    middle, reaches = network.padding + network.multiple + 2 + phase, []
    for height, width in ((3, 2 * middle + 1), (2 * middle + 1, 3)):  # strips are fast
        lr = torch.ones(1, 3, height, width, dtype=torch.float64)
        lr = (lr - 0.1 * torch.rand_like(lr)).requires_grad_()
        top, left = (side // 2 * network.scale for side in (height, width))
        network(lr)[..., top : top + network.scale, left : left + network.scale].sum().backward()
        along = lr.grad.abs().sum((0, 1)).sum(0 if height == 3 else 1)
        reaches.append((along.nonzero() - middle).abs().max())
    return int(max(reaches))


@pytest.mark.parametrize("network", GENERATORS)
def test_padding_covers_the_receptive_field(network, small_settings):
    built = models.build(network, small_settings(network)).double().eval()
    with torch.no_grad():
        for parameter in built.parameters():
            # avoids exact zeros and saturated tanh and sigmoid
            parameter.add_(0.01 * torch.rand_like(parameter))
    assert measured_reach(built) <= built.padding


@pytest.mark.parametrize(("network", "changes"), CASES)
def test_padding_is_the_receptive_field_and_no_more(network, changes):
    built = averaging(models.build(network, models.settings_class(network)(**changes)))
    assert measured_reach(built) == built.padding


@pytest.mark.parametrize(("upsampler", "scale"), [*product(("pixelshuffle", "direct"), (2, 3, 8))])
def test_swinirs_padding_is_the_farthest_reach_of_any_place_in_a_window(upsampler, scale):
    sizes = {"channels": 4, "depths": (2, 1), "num_heads": (1, 1), "window_size": 4}
    settings = models.settings_class("swinir")(**sizes, upsampler=upsampler, scale=scale)
    built = models.build("swinir", settings).double().eval()
    assert max(measured_reach(built, phase) for phase in range(4)) == built.padding


@pytest.mark.parametrize(("window_size", "scale"), [(8, 2), (8, 3), (8, 4), (8, 8), (16, 4)])
def test_cvaes_padding_is_the_farthest_reach_of_any_place_in_a_window(window_size, scale):
    sizes = {"channels": 1, "latent_channels": 1, "window_size": window_size}
    built = averaging(
        models.build(
            "cvae", models.settings_class("cvae")(**sizes, scale=scale, residual="bicubic")
        )
    )
    phases = range(window_size)
    assert max(measured_reach(built, phase) for phase in phases) == built.padding


@pytest.mark.parametrize("network", GENERATORS)
def test_a_padded_tile_equals_the_whole_picture(network, small_settings):
    changes = {} if network == "srcnn" else {"channels": 4}
    built = models.build(network, small_settings(network, **changes)).eval()
    halo, step, scale = built.padding, built.multiple, built.scale
    first = halo + step + 1  # where the tile's interior begins
    lr = torch.rand(1, 3, 8, first + 9)
    start = (first - halo) // step * step
    assert start > 0
    with torch.no_grad():
        whole, tile = built(lr), built(lr[..., start:])
    torch.testing.assert_close(tile[..., (first - start) * scale :], whole[..., first * scale :])
