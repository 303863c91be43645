"""Trunks computed by OpenVINO: their parts, their features in bands, and what is refused."""

import sys

import numpy as np
import pytest
import torch
from torch import fx

from srmodels.errors import ConfigError
from srmodels.inference.tiling.openvino import check_engine, compiled_parts, parts_of
from srmodels.inference.tiling.trunk import _GRAPHS, Trunk, _Features
from srmodels.inference.tiling.upscale import concat_rows, upscale, upscale_rows
from tests.inference.small import small

NETWORKS = [
    ("cyclegan_up", {}),
    ("edsr", {}),
    ("rrdbnet", {}),
    ("rrdbnet", {"equivariance": "p4m", "channels": 16, "growth_channels": 8}),
    ("span", {}),
    ("srresnet", {"norm": "batch", "activation": "prelu"}),
    ("srvgg", {}),
]


def parts(network):
    Trunk(network, 1, 1)
    return parts_of(_GRAPHS[network], _Features(network))


def test_a_part_ends_where_one_tensor_is_enough():
    network = small("rrdbnet", num_blocks=2)
    found = parts(network)
    nodes = [node for part in found for node in part.nodes]
    kinds = ("call_module", "call_function")
    assert nodes == [node for node in _GRAPHS[network].nodes if node.op in kinds]
    assert [part.context for part in found] == [1, 5, 5, 5, 5, 5, 5, 1]
    for part in found:
        inner = set(part.nodes[:-1])
        outside = [user for node in inner for user in node.users if user not in part.nodes]
        assert not outside
        assert all(isinstance(node, fx.Node) for node in part.inputs)


@pytest.mark.parametrize(("name", "more"), NETWORKS)
@pytest.mark.parametrize("band", [6, 40])
def test_bands_give_the_features_of_the_whole_picture(name, more, band):
    pytest.importorskip("openvino")
    network = small(name, **more)
    lr = torch.rand(1, 3, 40, 21, generator=torch.Generator().manual_seed(0))
    trunk = Trunk(network, 40, band, engine="openvino")
    with torch.inference_mode():
        expected = network.features_of(lr)
        pushed = [trunk.push(rows) for rows in (*lr.split(band, dim=2), *[None] * 20)]
    features = torch.cat([rows for rows in pushed if rows is not None], dim=2)
    assert features.shape == expected.shape
    scale = expected.abs().max()
    assert (features - expected).abs().max() < 1e-4 * scale


def test_the_picture_is_pytorchs(photo):
    pytest.importorskip("openvino")
    network, lr = small("rrdbnet"), photo[:50, :37]
    sr = concat_rows(upscale_rows(network, lr, scale=4, engine="openvino"), lr, 4)
    assert np.abs(sr.astype(int) - upscale(network, lr, scale=4)).max() <= 1


def test_blocks_that_differ_in_their_weights_share_a_compiled_model(monkeypatch):
    openvino = pytest.importorskip("openvino")
    network, compiled = small("rrdbnet", num_blocks=3), []

    class Core:
        def compile_model(self, *given):
            compiled.append(given)
            return lambda rows: rows

    monkeypatch.setattr(openvino, "Core", Core)
    found = parts(network)
    functions = compiled_parts(found, network, _Features(network), "fp32")
    assert len(functions) == len(found) == 11
    assert len(compiled) == 4  # first, dense block, dense block with RRDB's sum, last


def test_what_openvino_does_not_run_is_one_line(monkeypatch):
    pytest.importorskip("openvino")
    with pytest.raises(ConfigError, match=r"runs networks of plain convolutions \(got SwinIR\)"):
        check_engine(small("swinir"))
    with pytest.raises(ConfigError, match=r"runs on the CPU \(got meta\)"):
        check_engine(small("srresnet").to("meta"))
    monkeypatch.setitem(sys.modules, "openvino", None)
    with pytest.raises(ConfigError, match=r"Run: pip install 'srmodels\[openvino\]'"):
        check_engine(small("srresnet"))
