"""A generator as ncnn's two files gives the network's pictures, in ncnn and read again."""

import numpy as np
import pytest
import torch

from srmodels import snapshot
from srmodels.errors import ConfigError, WeightsError
from srmodels.export import export as module
from srmodels.export.export import export
from srmodels.export.ncnn import to_layers
from srmodels.inference.weights.ncnn_network import open_ncnn, run_layers
from srmodels.snapshot import Snapshot
from tests.cli.test_main import typed  # noqa: F401 - a fixture
from tests.inference.small import small, small_settings

QUICKSTART = {"residual": "bicubic", "upsampler": "direct", "norm": "none"}
CASES = [
    *(("rrdbnet", {"scale": scale}) for scale in (2, 4)),
    *(("rrdbnet", {"scale": scale, "upsampler": "pixelshuffle"}) for scale in (3, 4)),
    ("srvgg", {}),
    *(("span", {"centred": centred}) for centred in (True, False)),
    ("edsr", {"residual_scale": 0.5}),
    ("srresnet", {}),
    *(("srresnet", {**QUICKSTART, "scale": scale}) for scale in (2, 3, 4)),
    ("srresnet", {**QUICKSTART, "equivariance": "p4m"}),
    ("srresnet", {"upsampler": "nearest_conv", "activation": "relu"}),
    ("cyclegan_up", {}),
]


def trained(name, **changes):
    """A network whose layers and statistics all differ from their first values."""
    network = small(name, **changes)
    if "equivariance" in changes:
        return network
    with torch.no_grad():
        for parameter in network.parameters():
            parameter.add_(0.03 * torch.randn_like(parameter))
        for layer in network.modules():
            if isinstance(layer, torch.nn.BatchNorm2d):
                layer.running_mean.normal_(std=0.1)
                layer.running_var.uniform_(0.5, 2)
    return network


def generator_of(name, **changes):
    network = trained(name, **changes)
    return Snapshot(network=network, name=name, settings=small_settings(name, **changes))


@pytest.mark.parametrize(("name", "changes"), CASES)
def test_the_layers_give_the_networks_picture(name, changes):
    network = trained(name, **changes)
    layers = to_layers(network, name=name)
    for size in ((2, 2), (5, 9)):
        lr = torch.rand(1, 3, *size)
        with torch.no_grad():
            expected = network(lr)
        torch.testing.assert_close(run_layers(layers, lr), expected, rtol=1e-4, atol=1e-4)


@pytest.mark.parametrize(("name", "changes"), CASES)
def test_ncnn_gives_the_networks_picture(tmp_path, name, changes):
    pytest.importorskip("ncnn")
    difference = export(generator_of(name, **changes), tmp_path / "a.ncnn", file_format="ncnn")
    assert difference is not None
    assert difference < 1e-4
    assert sorted(path.name for path in tmp_path.iterdir()) == ["a.bin", "a.param"]


@pytest.mark.parametrize("name", ["rrdbnet", "srvgg"])
def test_what_is_exported_is_read_as_the_generator_it_was(tmp_path, name, monkeypatch):
    monkeypatch.setattr(module, "find_spec", lambda _: None)  # nothing to check with
    generator = generator_of(name)
    export(generator, tmp_path / "a.ncnn", file_format="ncnn")
    again = open_ncnn(tmp_path / "a.bin")
    assert (again.name, again.settings) == (name, generator.settings)
    for key, value in generator.network.state_dict().items():
        assert torch.equal(again.network.state_dict()[key], value)


@pytest.mark.parametrize(
    ("name", "changes", "part"),
    [
        ("srcnn", {}, "got pad"),
        ("swinir", {}, "a loop or a condition"),
        ("srvae", {}, "ncnn: srvae has a part"),
        ("srresnet", {"members": 2}, "a loop or a condition"),
    ],
)
def test_a_network_that_ncnn_has_not_is_one_line(tmp_path, name, changes, part):
    with pytest.raises(ConfigError, match=part):
        export(generator_of(name, **changes), tmp_path / "a.ncnn", file_format="ncnn")
    assert not list(tmp_path.iterdir())


def test_files_that_give_other_pictures_are_removed(tmp_path, monkeypatch):
    pytest.importorskip("ncnn")
    other = to_layers(trained("srvgg"), name="srvgg")
    monkeypatch.setattr(module.ncnn, "to_layers", lambda *_, **__: other)
    with pytest.raises(WeightsError, match="its output differs from the network's"):
        export(generator_of("srvgg"), tmp_path / "a.ncnn", file_format="ncnn")
    assert not list(tmp_path.iterdir())


def test_the_command_writes_two_files_and_says_so(typed, tmp_path):  # noqa: F811
    path = tmp_path / "w.safetensors"
    snapshot.save(path, small("srvgg"), name="srvgg", settings=small_settings("srvgg"))
    code, out, err = typed("export", path, "-o", tmp_path / "x4.ncnn")
    assert code == 0, err
    assert out.split() == [str(tmp_path / "x4.param"), str(tmp_path / "x4.bin")]
    assert (tmp_path / "x4.param").read_bytes().startswith(b"7767517\n")
    weights = np.fromfile(tmp_path / "x4.bin", "<f4")
    assert np.isfinite(weights).all()
