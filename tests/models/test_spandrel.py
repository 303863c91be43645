"""The contract of networks in spandrel's code, over those that are used most."""

import sys

import numpy as np
import pytest
import torch
from torch import nn

from srmodels import models, snapshot
from srmodels.config import ProblemCollector, check
from srmodels.errors import ConfigError
from srmodels.export.export import export
from srmodels.inference.weights.open_weights import open_weights
from srmodels.recipe import read_recipe
from srmodels.snapshot import Snapshot
from tests.data.scenes import scene

spandrel = pytest.importorskip("spandrel")

WINDOWS = {"depths": [2], "num_heads": [2], "window_size": 8}
DIRECT = {**WINDOWS, "upsampler": "pixelshuffledirect"}
NETWORKS = {
    "Compact": {"num_feat": 8, "num_conv": 2},
    "ESRGAN": {"num_filters": 8, "num_blocks": 1},
    "SwinIR": {"embed_dim": 12, **DIRECT},
    "Swin2SR": {"embed_dim": 12, **DIRECT},
    "HAT": {"embed_dim": 12, **WINDOWS, "compress_ratio": 3, "squeeze_factor": 6},
    "DAT": {"embed_dim": 32, "depth": [2], "num_heads": [2], "split_size": [4, 8]},
    "SPAN": {"feature_channels": 8, "norm": False},
    "OmniSR": {"num_feat": 16, "window_size": 8},
    "SAFMN": {"dim": 12, "n_blocks": 2},
    "ATD": {"embed_dim": 12, **DIRECT, "category_size": 16, "num_tokens": 4},
    "DRCT": {"embed_dim": 12, **WINDOWS, "gc": 4, "upsampler": "pixelshuffle"},
    "RealPLKSR": {"dim": 16, "n_blocks": 1, "kernel_size": 5},
    "RCAN": {"n_resgroups": 1, "n_resblocks": 1, "n_feats": 16},
}
EACH = pytest.mark.parametrize("name", NETWORKS)


def settings(name, **changes):
    values = {**NETWORKS.get(name, {}), **changes}
    return check(values, models.settings_class(f"spandrel:{name}"), "generator")


def network(name, **changes):
    torch.manual_seed(0)
    return models.build(f"spandrel:{name}", settings(name, **changes))


@EACH
@pytest.mark.parametrize("scale", [2, 4])
def test_output_is_scale_times_input_for_any_size_in_float32(name, scale):
    built = network(name, scale=scale)
    assert built.scale == scale
    with torch.no_grad(), torch.autocast("cpu", torch.bfloat16):
        for height, width in ((5, 19), (1, 1)):
            sr = built(torch.rand(2, 3, height, width))
            assert sr.shape == (2, 3, scale * height, scale * width)
            assert sr.dtype == torch.float32


@pytest.mark.filterwarnings("ignore:'saved_variables'")  # in OmniSR's code
@EACH
def test_steps_lower_the_loss_and_the_result_is_not_clamped(name):
    built = network(name).train()
    optimizer = torch.optim.Adam(built.parameters(), 2e-3)
    lr, hr, losses = torch.rand(2, 3, 16, 16), torch.full((2, 3, 64, 64), 1.5), []
    for _ in range(10):
        optimizer.zero_grad()
        loss = (built(lr) - hr).square().mean()
        loss.backward()
        optimizer.step()
        losses.append(loss.item())
    assert losses[-1] < 0.97 * losses[0]


@EACH
def test_a_snapshot_gives_the_same_picture(name, tmp_path):
    built, path = network(name), tmp_path / "a.safetensors"
    snapshot.save(path, built, name=f"spandrel:{name}", settings=settings(name))
    loaded = snapshot.load(path)
    assert loaded.settings == settings(name)
    lr = torch.rand(1, 3, 17, 24)
    with torch.no_grad():
        torch.testing.assert_close(loaded.network(lr), built(lr))


@EACH
def test_public_weights_start_a_training_and_the_export_is_public(name, tmp_path):
    built, public = network(name), tmp_path / "public.pth"
    own = Snapshot(network=built, name=f"spandrel:{name}", settings=settings(name))
    assert export(own, public, file_format="pth") < 0.5 / 255
    theirs = spandrel.ModelLoader().load_from_file(public)
    other = models.build(f"spandrel:{name}", settings(name))
    snapshot.warm_start(other, public)
    lr = torch.rand(1, 3, 16, 24)
    with torch.no_grad():
        expected = theirs(lr.clone())  # RCAN changes it
        for each in (built, other):
            torch.testing.assert_close(each(lr).clamp(0, 1), expected, rtol=0, atol=0.5 / 255)


@pytest.mark.slow
@EACH
def test_tiles_equal_the_whole_picture_or_the_log_says_why_not(name, tmp_path, monkeypatch, caplog):
    monkeypatch.setenv("SRMODELS_DATA", str(tmp_path / "cache"))
    built, path = network(name), tmp_path / "a.safetensors"
    snapshot.save(path, built, name=f"spandrel:{name}", settings=settings(name))
    photo = np.array(scene(0, 90, 150))
    whole, cut = (open_weights(path, tile=tile)(photo) for tile in (256, 64))
    assert whole.shape == (360, 600, 3)
    assert np.abs(whole.astype(int) - cut).max() <= 1 or "looks farther than" in caplog.text


def problems_of(generator, scale=4):
    problems = ProblemCollector()
    phase = {"objective": {"name": "pixel"}, "training": {"steps": 1}}
    section = {"generator": generator, "pretrain": phase, "adversarial": None}
    recipe = read_recipe(section, scale=scale, where="models.x.smoke", problems=problems)
    return problems.problems, recipe.generator


@pytest.mark.parametrize(
    ("generator", "sentence"),
    [
        (
            {"network": "spandrel:HATT"},
            "unknown name (got 'spandrel:HATT'). Use one of spandrel:ATD",
        ),
        ({"network": "spandrel:HATT"}, "(did you mean spandrel:HAT?)"),
        ({"network": "spandrel:HAT", "embed_dims": 3}, "embed_dims: unknown key"),
        ({"network": "spandrel:HAT", "embed_dim": "3"}, "embed_dim: must be"),
        ({"network": "spandrel:HAT", "norm_layer": "x"}, "norm_layer: unknown key"),
        ({"network": "spandrel:SAFMN"}, "generator.dim: missing"),
    ],
)
def test_a_wrong_name_or_setting_is_told_with_its_key(generator, sentence):
    (problem,), _ = problems_of(generator)
    assert problem.startswith("models.x.smoke.generator.")
    assert sentence in problem


def test_the_scale_of_the_run_is_the_networks():
    problems, generator = problems_of({"network": "spandrel:SAFMN", "dim": 12}, scale=3)
    assert problems == []
    assert generator.settings.scale == 3


@pytest.mark.parametrize(
    ("name", "values", "sentence"),
    [
        ("NAFNet", {}, r"spandrel:NAFNet does not enlarge RGB 4 times .*got scale 1, 3 to 3"),
        ("LaMa", {}, r"spandrel:LaMa does not enlarge RGB 4 times"),
        ("UpCunet2x", {}, r"does not enlarge RGB 4 times .*got scale 2"),
        ("SwinIR", {**WINDOWS, "embed_dim": 12}, "does not enlarge RGB 4 times"),
        ("Compact", {"num_in_ch": 1, "num_out_ch": 1}, "1 to 1 channels"),
        ("DAT", {"embed_dim": 12, "depth": [2], "num_heads": [2]}, "do not fit each other"),
        ("HAT", {"embed_dim": 13, "depths": [2], "num_heads": [2]}, "do not fit each other"),
    ],
)
def test_settings_with_which_it_is_no_generator_of_this_scale_are_refused(name, values, sentence):
    chosen = check(values, models.settings_class(f"spandrel:{name}"), "generator")
    with pytest.raises(ConfigError, match=sentence) as caught:
        models.build(f"spandrel:{name}", chosen)
    assert "\n" not in str(caught.value)


def test_without_spandrel_the_extra_is_named(monkeypatch):
    module = sys.modules[models.module_of("spandrel:HAT")]
    module._architectures.cache_clear()
    monkeypatch.setitem(sys.modules, "spandrel", None)
    (problem,), _ = problems_of({"network": "spandrel:HAT"})
    assert problem.startswith("models.x.smoke.generator.network: spandrel")
    assert "pip install 'srmodels[community]'" in problem


def test_a_network_that_was_built_with_other_hyper_parameters_keeps_them():
    assert isinstance(network("SPAN", norm=False), nn.Module)
    exact, other = (network("HAT", conv_scale=value) for value in (0.01, 0.5))
    lr = torch.rand(1, 3, 16, 16)
    with torch.no_grad():
        assert not torch.allclose(exact(lr), other(lr))
