"""What a new network lacks is told before its training."""

import dataclasses
from types import ModuleType

import pytest
import torch
from torch import nn

from srmodels import models
from srmodels.errors import ConfigError
from srmodels.models._contract import check_attributes, check_forward, network_class

GENERATORS = [name for name in models.names("generator") if not models.latent(name)]


@dataclasses.dataclass(frozen=True)
class Settings:
    scale: int = 4


class Net(nn.Module):
    def __init__(self, **attributes):
        super().__init__()
        vars(self).update({"scale": 4, "padding": 1, "multiple": 1, "dtype": None} | attributes)

    def forward(self, lr):
        return lr.repeat_interleave(4, 2).repeat_interleave(4, 3)


def module(**parts):
    made = ModuleType("toy")
    kind = type("Toy", (Net,), {"__module__": "toy"})
    vars(made).update({"ROLE": "generator", "Settings": Settings, "Toy": kind} | parts)
    return made


@pytest.mark.parametrize(
    ("parts", "message"),
    [
        ({"ROLE": "generater"}, "ROLE must be one of generator"),
        ({"Settings": dict}, "has no frozen dataclass `Settings`"),
        ({"Settings": dataclasses.make_dataclass("Settings", [])}, "has no field `scale`"),
        ({"Toy": None}, r"must have one public nn.Module \(got none\)"),
    ],
)
def test_a_module_without_a_part_is_told_which(parts, message):
    with pytest.raises(ConfigError, match=rf"^srmodels/models/toy\.py: .*{message}"):
        network_class(module(**parts), "toy")


@pytest.mark.parametrize("attribute", ["scale", "padding", "multiple"])
def test_a_generator_without_an_attribute_is_told_which(attribute):
    with pytest.raises(ConfigError, match=rf"Net needs the attribute `{attribute}`.*Set self\."):
        check_attributes(Net(**{attribute: None}), "generator", "toy")


def test_an_sr_of_another_shape_is_told_with_both():
    with pytest.raises(ConfigError, match=r"shape \(1, 3, 10, 12\) .*\(got \(1, 3, 20, 24\)\)"):
        check_forward(Net(scale=2), "toy")


def test_an_sr_that_is_not_finite_is_told():
    network = Net()
    network.forward = lambda lr: torch.full((1, 3, 20, 24), torch.nan)
    with pytest.raises(ConfigError, match="finite float32"):
        check_forward(network, "toy")


@pytest.mark.parametrize("name", GENERATORS)
def test_our_generators_pass_and_stay_as_they_were(name, small_settings):
    network = models.build(name, small_settings(name)).train()
    before = {key: value.clone() for key, value in network.state_dict().items()}
    state = torch.get_rng_state()
    check_forward(network, name)
    assert network.training
    assert torch.equal(state, torch.get_rng_state())
    assert all(torch.equal(value, before[key]) for key, value in network.state_dict().items())
