"""Two trainings of one network are mixed weight by weight."""

import dataclasses

import pytest
import torch

from srmodels import models
from srmodels.errors import ConfigError, WeightsError
from srmodels.inference.weights.interpolate import interpolate
from srmodels.snapshot import Snapshot
from tests.inference.small import small_settings


def two(name="srresnet"):
    """Two snapshots of one network with other weights; batch norm's counter, too, is other."""
    settings = small_settings(name)
    made = [
        Snapshot(network=models.build(name, settings).eval(), name=name, settings=settings)
        for _ in range(2)
    ]
    for count, each in enumerate(made):
        for buffer in each.network.buffers():
            buffer.fill_(count + 1)
    return made


@pytest.mark.parametrize("strength", [0.0, 0.25, 1.0])
def test_interpolation_mixes_weights_and_buffers_and_takes_the_seconds_counts(strength):
    first, second = two()
    mixed = interpolate(first, second, strength)
    theirs, found = second.network.state_dict(), mixed.network.state_dict()
    assert any(not value.is_floating_point() for value in found.values())
    for key, value in first.network.state_dict().items():
        wanted = theirs[key]
        if value.is_floating_point():
            wanted = (1 - strength) * value + strength * wanted
        assert torch.equal(found[key], wanted)
    assert not mixed.network.training
    assert (mixed.name, mixed.settings) == (first.name, first.settings)


def test_interpolation_leaves_both_snapshots_as_they_were():
    pair = two()
    before = [{k: v.clone() for k, v in each.network.state_dict().items()} for each in pair]
    mixed = interpolate(*pair, 0.5)
    for buffer in mixed.network.buffers():
        buffer.fill_(9)
    for each, old in zip(pair, before, strict=True):
        assert all(torch.equal(value, old[k]) for k, value in each.network.state_dict().items())


def test_networks_that_are_not_alike_are_not_interpolated_and_the_difference_is_named():
    first, second = two()
    other = dataclasses.replace(second, name="srcnn")
    wider = dataclasses.replace(
        second, settings=small_settings("srresnet", residual="bicubic", channels=16)
    )
    with pytest.raises(WeightsError, match="got srresnet and srcnn"):
        interpolate(first, other, 0.5)
    with pytest.raises(WeightsError, match="channels 8 and 16; residual 'none' and 'bicubic'"):
        interpolate(first, wider, 0.5)


@pytest.mark.parametrize("strength", [-0.1, 1.1, float("nan")])
def test_strength_is_a_share(strength):
    with pytest.raises(ConfigError, match=rf"strength: .*\(got {strength}\)\. Use 0 to 1"):
        interpolate(*two(), strength)
