"""A trained generator is loaded once and called with pictures."""

import numpy as np
import pytest

from srmodels import snapshot
from srmodels.errors import WeightsError
from srmodels.inference.generator import load
from srmodels.inference.upscale import upscaler
from tests.inference.small import small, small_settings


def saved(path, name, **changes):
    network = small(name, **changes)
    snapshot.save(path, network, name=name, settings=small_settings(name, **changes))
    return network


def test_a_loaded_generator_does_what_was_saved(tmp_path, photo):
    network = saved(tmp_path / "weights", "srcnn", scale=2)
    generator = load(tmp_path / "weights")
    assert (generator.name, generator.scale) == ("srcnn", 2)
    np.testing.assert_array_equal(generator(photo), upscaler(2)(network, photo))


def test_its_parameters_are_counted(tmp_path):
    network = saved(tmp_path / "weights", "srcnn")
    expected = sum(each.numel() for each in network.parameters())
    assert load(tmp_path / "weights").parameters == expected


@pytest.mark.parametrize("name", ["patch_discriminator", "srgan_discriminator"])
def test_a_discriminator_is_refused_by_name(tmp_path, name):
    saved(tmp_path / "weights", name)
    with pytest.raises(WeightsError, match=f"weights: holds a {name}, which enlarges nothing"):
        load(tmp_path / "weights")
