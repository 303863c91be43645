"""A trained generator is loaded once and called with pictures."""

import numpy as np
import pytest
import torch

from srmodels import snapshot
from srmodels.errors import ConfigError, WeightsError
from srmodels.inference.generators.generator import Generator
from srmodels.inference.tiling.upscale import upscaler
from srmodels.inference.weights.open_weights import load_for_evaluation, open_weights
from tests.inference.small import small, small_settings


def saved(path, name, **changes):
    network = small(name, **changes)
    snapshot.save(path, network, name=name, settings=small_settings(name, **changes))
    return network


def test_a_loaded_generator_does_what_was_saved(tmp_path, photo):
    network = saved(tmp_path / "weights", "srcnn", scale=2)
    generator = open_weights(tmp_path / "weights")
    assert (generator.name, generator.scale) == ("srcnn", 2)
    np.testing.assert_array_equal(generator(photo), upscaler(2)(network, photo))


def test_its_parameters_are_counted(tmp_path):
    network = saved(tmp_path / "weights", "srcnn")
    expected = sum(each.numel() for each in network.parameters())
    assert open_weights(tmp_path / "weights").parameters == expected


@pytest.mark.parametrize("name", ["patch_discriminator", "srgan_discriminator"])
def test_a_discriminator_is_refused_by_name(tmp_path, name):
    saved(tmp_path / "weights", name)
    with pytest.raises(WeightsError, match=f"weights: holds a {name}, which enlarges nothing"):
        open_weights(tmp_path / "weights")


@pytest.mark.parametrize(("name", "expected"), [("srcnn", False), ("srvae", True), ("cvae", True)])
def test_a_generator_says_whether_it_has_samples(tmp_path, name, expected):
    saved(tmp_path / "weights", name)
    assert open_weights(tmp_path / "weights").has_samples is expected


def test_a_generator_draws_samples_as_its_settings_say(tmp_path, photo):
    saved(tmp_path / "weights", "srvae")
    loaded = open_weights(tmp_path / "weights", tile=32)
    made, expected = (
        generator.sample(photo, generator=torch.Generator().manual_seed(1), temperature=0.5)
        for generator in (loaded, Generator(network=loaded.network, name="srvae", scale=4, tile=32))
    )
    np.testing.assert_array_equal(made, expected)


@pytest.fixture
def pair(tmp_path):
    paths = [tmp_path / name for name in ("pretrained", "final")]
    for seed, path in enumerate(paths):
        torch.manual_seed(seed)
        saved(path, "srcnn")
    return paths


def test_the_final_generator_is_compared_last(pair):
    assert list(load_for_evaluation(pair[1])) == ["generator"]
    assert list(load_for_evaluation(pair[1], pretrained=pair[0])) == ["pretrained", "generator"]
    rows = ["pretrained", "strength_0.5", "generator"]
    assert list(load_for_evaluation(pair[1], pretrained=pair[0], strengths=[0.5])) == rows


@pytest.mark.parametrize(("strength", "same_as"), [(0.0, "pretrained"), (1.0, "generator")])
def test_a_strength_at_its_end_is_one_of_the_two(pair, photo, strength, same_as):
    rows = load_for_evaluation(pair[1], pretrained=pair[0], strengths=[strength])
    np.testing.assert_array_equal(rows[f"strength_{strength:g}"](photo), rows[same_as](photo))


def test_a_strength_without_pretrained_weights_is_refused(pair):
    with pytest.raises(ConfigError, match="strength: mixes two files"):
        load_for_evaluation(pair[1], strengths=[0.5])


def test_networks_that_differ_are_not_mixed(pair, tmp_path):
    saved(tmp_path / "other", "srresnet")
    with pytest.raises(WeightsError, match="srcnn"):
        load_for_evaluation(pair[1], pretrained=tmp_path / "other", strengths=[0.5])
