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
from srmodels.inference.weights.open_weights import open_weights
from srmodels.resize.tensors import to_image, to_tensor
from tests.inference.small import small, small_settings

spandrel = pytest.importorskip("spandrel")


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
    assert (generator.scale, generator.network.multiple) == (2, 4)
    assert generator(photo[:33, :21]).shape == (66, 42, 3)


def test_a_network_that_looks_at_the_whole_picture_is_said_to(tmp_path, caplog):
    network = rcan()
    with torch.no_grad():
        for parameter in network.parameters():
            parameter.mul_(3)
    open_weights(written(tmp_path / "public.pth", network))
    assert "RCAN looks farther than 48 pixels" in caplog.text


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
    with pytest.raises(WeightsError, match=r"no suffix of weights \(got '.yaml'\)"):
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
