"""Other people's weights are recognised, run as their own code runs them, and never run code."""

import os
import pickle
import sys
from importlib import import_module

import numpy as np
import pytest
import torch

from srmodels import snapshot
from srmodels.errors import ConfigError, WeightsError
from srmodels.inference.tiling.upscale import upscale
from srmodels.inference.weights.open_weights import open_weights
from srmodels.models import _spandrel_network
from srmodels.models._spandrel_network import SpandrelNetwork
from srmodels.resize.tensors import to_image, to_tensor
from srmodels.snapshot import warm_start
from tests.inference.small import small, small_settings

spandrel = pytest.importorskip("spandrel")


@pytest.fixture(autouse=True)
def cache(monkeypatch, tmp_path):
    monkeypatch.setenv("SRMODELS_DATA", str(tmp_path / "cache"))


def theirs(name, **settings):
    """A network of spandrel's, and random weights."""
    module = "ESRGAN" if name == "RRDBNet" else name
    kind = getattr(import_module(f"spandrel.architectures.{module}"), module)
    return kind(**settings).eval()


def written(path, network):
    torch.save({"params": network.state_dict()}, path)
    return path


def compact(**changes):
    return theirs("Compact", num_feat=8, num_conv=2, **changes)


def rcan():
    return theirs("RCAN", scale=2, n_feats=8, n_resgroups=1, n_resblocks=1, reduction=4)


def test_a_file_with_our_spec_is_opened_as_ours(tmp_path, photo):
    network = small("srcnn", scale=2)
    path = tmp_path / "generator.safetensors"
    snapshot.save(path, network, name="srcnn", settings=small_settings("srcnn", scale=2))
    generator = open_weights(path)
    assert (generator.name, generator.scale) == ("srcnn", 2)


def test_a_public_rrdbnet_runs_in_our_code_with_its_exact_padding(tmp_path, photo):
    network = theirs("RRDBNet", num_blocks=1, num_filters=8)
    generator = open_weights(written(tmp_path / "public.pth", network))
    assert (generator.name, generator.network.padding) == ("rrdbnet", 19)
    with torch.no_grad():
        expected = to_image(network(to_tensor(photo)))
    assert np.abs(generator(photo).astype(int) - expected).max() <= 1


def test_another_network_gives_what_its_own_code_gives_whatever_the_tiles(tmp_path, photo):
    network = compact()
    generator = open_weights(written(tmp_path / "public.pth", network), tile=32)
    with torch.no_grad():
        expected = to_image(network(to_tensor(photo)))
    assert np.abs(generator(photo).astype(int) - expected).max() <= 1
    assert not generator.has_samples


def test_a_grey_network_enlarges_each_colour_for_itself(tmp_path, photo):
    network = compact(num_in_ch=1, num_out_ch=1)
    sr = open_weights(written(tmp_path / "public.pth", network))(photo)
    with torch.no_grad():
        green = network(to_tensor(photo)[:, 1:2])
    assert np.abs(sr[..., 1].astype(int) - to_image(green)[..., 0]).max() <= 1


def test_sizes_that_a_network_does_not_take_are_filled_up_and_cut_off(tmp_path, photo):
    network = theirs("RRDBNet", num_blocks=1, num_filters=8, in_nc=12, shuffle_factor=2)
    generator = open_weights(written(tmp_path / "public.pth", network))
    assert generator.scale == 2
    assert generator.network.multiple == 4
    assert generator(photo[:33, :21]).shape == (66, 42, 3)


def test_a_network_that_looks_at_the_whole_picture_is_said_to_if_it_is_cut(tmp_path, photo, caplog):
    path = written(tmp_path / "public.pth", rcan())
    for tile in (128, 64):
        assert not caplog.text
        generator = open_weights(path, tile=tile)
        # the corner stands for all pixels
        generator.network.descriptor._call_fn = lambda network, lr: (
            (lr[..., 0, 0].mean() + network(lr)) / 2
        )
        generator(photo)
    assert "RCAN looks farther than 48 pixels" in caplog.text
    assert "A --tile as large as the picture avoids that" in caplog.text


def test_a_network_that_changes_its_input_is_not_said_to_look_farther(tmp_path, photo, caplog):
    path = written(tmp_path / "public.pth", rcan())  # RCAN multiplies LR in place
    whole, cut = (open_weights(path, tile=tile)(photo).astype(int) for tile in (128, 32))
    assert "looks farther" not in caplog.text
    assert np.abs(whole - cut).max() <= 1


def test_tiles_begin_where_the_stride_inside_a_network_allows(tmp_path, photo):
    network = theirs("MoESR", dim=8, n_blocks=1, n_block=1)
    with torch.no_grad():
        for parameter in network.parameters():
            parameter.mul_(1.5)
    path = written(tmp_path / "public.pth", network)
    odd = photo[:95, :127]
    whole, cut = (open_weights(path, tile=tile) for tile in (128, 33))
    assert np.abs(whole(odd).astype(int) - cut(odd)).max() <= 1
    assert cut.network.multiple == 2


def test_tiles_are_measured_once_per_file_and_only_if_there_are_tiles(tmp_path, photo, monkeypatch):
    path, measured = written(tmp_path / "public.pth", rcan()), []
    measure = _spandrel_network._measure_tiles
    monkeypatch.setattr(
        _spandrel_network, "_measure_tiles", lambda net: measured.append(1) or measure(net)
    )
    open_weights(path, tile=128)(photo)
    assert measured == []
    for _ in range(2):
        open_weights(path, tile=64)(photo)
    assert measured == [1]


def test_a_network_whose_code_fails_is_one_line(tmp_path, photo):
    generator = open_weights(written(tmp_path / "public.pth", rcan()))

    def fail(*_):
        raise RuntimeError("shape mismatch\nand more")

    generator.network.descriptor._call_fn = fail
    with pytest.raises(
        WeightsError, match=r"RCAN: its code fails on 128 x 96 pixels \(got RuntimeError: shape m"
    ) as caught:
        generator(photo)
    assert "\n" not in str(caught.value)


def test_bf16_is_not_chosen_for_a_network_that_it_changes(tmp_path, photo, monkeypatch):
    monkeypatch.setattr("srmodels.inference.tiling.device.bf16_is_fast", lambda _: True)
    path = written(tmp_path / "public.pth", compact())
    generator = SpandrelNetwork(spandrel.ModelLoader().load_from_file(path))
    assert generator.takes_bf16

    def brighter_in_bf16(network, lr):
        return network(lr) + 0.01 * torch.is_autocast_enabled("cpu")

    generator.descriptor._call_fn = brighter_in_bf16
    del generator.takes_bf16
    assert not generator.takes_bf16
    exact, auto = (upscale(generator, photo, scale=4, precision=p) for p in ("fp32", "auto"))
    np.testing.assert_array_equal(exact, auto)


@pytest.mark.parametrize(
    "wrap",
    [
        lambda state: {"my_weights": state, "epoch": 3},
        lambda state: {f"_orig_mod.{key}": each for key, each in state.items()},
        lambda state: {"state_dict": {f"model.{key}": each for key, each in state.items()}},
        lambda state: {f"module.netG.{key}": each for key, each in state.items()},
        lambda state: {
            **{f"generator.{key}": each for key, each in state.items()},
            "discriminator.0.weight": torch.zeros(1),
        },
    ],
)
def test_names_that_programs_put_around_a_network_are_taken_off(tmp_path, photo, wrap):
    network = compact()
    torch.save(wrap(network.state_dict()), tmp_path / "public.pth")
    generator = open_weights(tmp_path / "public.pth")
    assert generator.name == "srvgg"
    warm = small("srvgg", channels=8, num_blocks=2)
    warm_start(warm, tmp_path / "public.pth")
    lr = torch.rand(1, 3, 9, 9)
    with torch.no_grad():
        torch.testing.assert_close(warm(lr), network(lr))


@pytest.mark.parametrize(
    ("network", "reason"),
    [
        (
            lambda: compact(upscale=1),
            r"RealESRGAN Compact, .* \(got Restoration",
        ),
        (lambda: compact(num_in_ch=4, num_out_ch=4), "4 to 4 channels"),
        (lambda: small("patch_discriminator"), "of no network that spandrel knows"),
    ],
)
def test_what_enlarges_no_picture_is_refused(tmp_path, network, reason):
    with pytest.raises(WeightsError, match=reason):
        open_weights(written(tmp_path / "public.pth", network()))


class Bomb:
    def __init__(self, path):
        self.path = path

    def __reduce__(self):
        return os.mkdir, (str(self.path),)


def raw_pickle(content, path):
    path.write_bytes(pickle.dumps(content))


@pytest.mark.parametrize("dump", [torch.save, raw_pickle])
def test_code_in_a_pickle_is_not_run(tmp_path, dump):
    dump(Bomb(tmp_path / "exploded"), tmp_path / "public.pth")
    with pytest.raises(WeightsError, match="cannot be read"):
        open_weights(tmp_path / "public.pth")
    assert not (tmp_path / "exploded").exists()


def test_the_code_that_a_pickle_asks_for_is_named(tmp_path):
    torch.save(torch.nn.Conv2d(1, 1, 1), tmp_path / "public.pth")
    with pytest.raises(WeightsError, match=r"would run torch\S+Conv2d, and no code in a file"):
        open_weights(tmp_path / "public.pth")


def test_damaged_files_and_other_files_are_refused(tmp_path):
    written(tmp_path / "whole.pth", compact())
    files = {
        "cut.pth": (tmp_path / "whole.pth").read_bytes()[:3000],
        "cut.safetensors": b"\x40\0\0\0\0\0\0\0{",
        "text.pth": b"no weights at all",
        "empty.ckpt": b"",
    }
    for name, content in files.items():
        (tmp_path / name).write_bytes(content)
        with pytest.raises(WeightsError, match=f"{name} cannot be read"):
            open_weights(tmp_path / name)
    (tmp_path / "params.yaml").write_text("scale: 4")
    with pytest.raises(
        WeightsError,
        match=r"by its suffix \(got '.yaml'\). Use one of \.safetensors",
    ):
        open_weights(tmp_path / "params.yaml")
    with pytest.raises(WeightsError, match=r"absent\.pth"):
        open_weights(tmp_path / "absent.pth")


def test_a_precision_that_a_network_cannot_compute_in_is_refused(tmp_path):
    network = rcan()
    path = written(tmp_path / "public.pth", network)
    with pytest.raises(ConfigError, match=r"RCAN does not support it \(got 'fp16'\). Use fp32"):
        open_weights(path, precision="fp16")


def test_without_spandrel_the_error_names_the_extra(tmp_path, monkeypatch):
    path = written(tmp_path / "public.pth", compact())
    monkeypatch.setitem(sys.modules, "spandrel", None)
    with pytest.raises(ConfigError, match=r"pip install 'srmodels\[community\]'"):
        open_weights(path)
