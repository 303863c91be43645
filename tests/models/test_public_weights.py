"""Weights of the public networks load here; those of RRDBNet, SwinIR, SRVGG load in spandrel."""

import re

import pytest
import torch

from srmodels import models

RRDBNETS = [{"scale": scale, "num_blocks": 2, "channels": 8} for scale in (2, 4, 8)]
SWINIRS = [
    {"scale": scale, "channels": 12, "depths": (2, 3), "num_heads": (2, 3), "upsampler": upsampler}
    for scale in (2, 3, 4)
    for upsampler in ("pixelshuffle", "direct")
]
SRVGGS = [{"scale": scale, "num_blocks": 2, "channels": 8} for scale in (2, 3, 4)]
CASES = [
    *(("rrdbnet", settings) for settings in RRDBNETS),
    *(("swinir", settings) for settings in SWINIRS),
    *(("srvgg", settings) for settings in SRVGGS),
]


def build(network, **settings):
    built = models.build(network, models.settings_class(network)(**settings)).eval()
    with torch.no_grad():
        for parameter in built.parameters():
            parameter.add_(0.05 * torch.randn_like(parameter))  # no two layers, no bias alike
    return built


def numbered(key: str) -> str:
    """A Real-ESRGAN key under its name in ESRGAN's first release, at x4 with two blocks."""
    key = re.sub(r"body\.(\d)\.rdb(\d)\.conv(\d)", r"model.1.sub.\1.RDB\2.conv\3.0", key)
    names = {"conv_first": 0, "conv_body": "1.sub.2", "conv_up1": 3, "conv_up2": 6}
    for name, place in (names | {"conv_hr": 8, "conv_last": 10}).items():
        key = key.replace(f"{name}.", f"model.{place}.")
    return key


def renamed(key: str) -> str:
    """A Real-ESRGAN key under its name in ESRGAN's second release."""
    key = re.sub(r"body\.(\d)\.rdb(\d)", r"RRDB_trunk.\1.RDB\2", key)
    key = key.replace("conv_body.", "trunk_conv.").replace("conv_hr.", "HRconv.")
    return re.sub(r"conv_up(\d)", r"upconv\1", key)


@pytest.mark.parametrize("older", [numbered, renamed, str])
def test_rrdbnet_understands_the_names_of_every_release(older):
    source = build("rrdbnet", num_blocks=2, channels=8)
    state = {older(key): value for key, value in source.state_dict().items()}
    target = build("rrdbnet", num_blocks=2, channels=8)
    target.load_state_dict(state)
    for key, value in source.state_dict().items():
        assert torch.equal(target.state_dict()[key], value)


def test_swinirs_names_are_the_public_codes():
    names = set(build("swinir", **SWINIRS[0]).state_dict())
    layer = "layers.1.residual_group.blocks.1."
    assert {
        "conv_first.weight",
        "patch_embed.norm.weight",
        f"{layer}attn_mask",
        f"{layer}attn.relative_position_bias_table",
        f"{layer}attn.relative_position_index",
        f"{layer}attn.qkv.weight",
        f"{layer}mlp.fc2.bias",
        "layers.1.conv.weight",
        "norm.weight",
        "conv_after_body.weight",
        "conv_before_upsample.0.weight",
        "upsample.0.weight",
        "conv_last.weight",
    } <= names


def test_swinir_takes_weights_with_masks_of_another_size_or_with_none():
    network = build("swinir", **SWINIRS[0])
    state = network.state_dict()
    masks = [key for key in state if key.endswith("attn_mask")]
    small = {key: torch.zeros(36, 64, 64) for key in masks}
    network.load_state_dict(state | small)
    assert network.state_dict()[masks[0]].shape == (64, 64, 64)
    network.load_state_dict({key: value for key, value in state.items() if key not in masks})


@pytest.mark.filterwarnings("ignore:torch.meshgrid")
@pytest.mark.parametrize(("network", "settings"), CASES)
def test_output_equals_spandrels_with_the_same_weights(network, settings):
    spandrel = pytest.importorskip("spandrel")
    ours = build(network, **settings)
    state = {key: value.clone() for key, value in ours.state_dict().items()}
    theirs = spandrel.ModelLoader().load_from_state_dict(state)
    assert theirs.scale == settings["scale"]
    lr = torch.rand(2, 3, 27, 19)
    with torch.no_grad():
        torch.testing.assert_close(ours(lr), theirs.model.eval()(lr), rtol=0, atol=1e-5)
    ours.load_state_dict(theirs.model.state_dict())


@pytest.mark.parametrize("centred", [True, False])
@pytest.mark.parametrize("scale", [2, 4])
def test_a_public_spans_branches_are_merged_into_equal_convolutions(scale, centred):
    architectures = pytest.importorskip("spandrel.architectures.SPAN")
    theirs = architectures.SPAN(
        num_in_ch=3, num_out_ch=3, feature_channels=8, upscale=scale, norm=centred
    ).eval()
    ours = build("span", scale=scale, channels=8, centred=centred)
    ours.load_state_dict(theirs.state_dict())
    lr = torch.rand(2, 3, 27, 19)
    with torch.no_grad():
        expected = theirs(lr)
        torch.testing.assert_close(ours(lr), expected, rtol=1e-4, atol=1e-5)
    assert expected.std() > 0.01  # not merely two flat pictures
