"""Every recipe trains on every device in every precision, to the same bytes each time."""

import copy
from pathlib import Path

import pytest
import torch
from ruamel.yaml import YAML

from srmodels import models, objectives, params
from srmodels.data.batches.batch import Batch
from srmodels.engine.checkpoint.checkpoint import Checkpoints
from srmodels.engine.checkpoint.rng_state import seed_all
from srmodels.engine.precision import to_channels_last
from srmodels.engine.state import State
from srmodels.engine.step import take_step
from tests.engine.toys import ToySource, fabric_on, trainer
from tests.inference.small import small
from tests.models.outputs import images_for, training_outputs

PARAMS = Path(__file__).parents[2] / "params.yaml"
RECIPES = [*YAML(typ="safe").load(PARAMS)["models"]]
PRECISIONS = ["32-true", "bf16-mixed", "16-mixed"]
SCALE, STEPS = 4, 3


def gradients(fabric, network):
    network = to_channels_last(copy.deepcopy(network)).to(fabric.device)
    torch.manual_seed(1)
    images = images_for(network).to(fabric.device)
    with fabric.autocast():
        outputs = training_outputs(network, images)
    pulls = [torch.randn(y.shape).to(y) for y in outputs]
    torch.stack([(y * pull).sum() for y, pull in zip(outputs, pulls, strict=True)]).sum().backward()
    return [parameter.grad for parameter in network.parameters()]


@pytest.mark.slow
@pytest.mark.parametrize("precision", PRECISIONS)
@pytest.mark.parametrize("name", models.names())
def test_a_networks_gradients_are_the_same_each_time(name, precision, device) -> None:
    network = small(name).train()
    first, second = (gradients(fabric_on(device, precision), network) for _ in range(2))
    assert all(map(torch.equal, first, second))


def trained(recipe, phase, precision, device):
    """The networks after some steps in the preset smoke."""
    chosen = params.load(PARAMS, model=recipe, preset="smoke").recipe
    section = chosen.pretrain if phase == "pretrain" else chosen.adversarial
    if section is None:
        pytest.skip(f"{recipe} has no such phase")
    seed_all(0)
    needed = {"generator": chosen.generator, **getattr(section, "opponents", {})}
    networks = {role: models.build(each.name, each.settings) for role, each in needed.items()}

    def turns_of(wrapped, device):
        return objectives.turns(section.objective.name, wrapped, section.objective.settings, device)

    fabric = fabric_on(device, precision, scale=2.0**6)
    state = State(fabric, networks, turns_of, section.training, keep_best=None)
    count, side = section.training.batch_size, section.training.patch_size
    for step in range(STEPS):
        lr, hr = torch.rand(count, 3, side, side), torch.rand(count, 3, SCALE * side, SCALE * side)
        batch = Batch(lr=lr.to(device), hr=hr.to(device), photos=("a",) * count)
        shared = {"step": torch.tensor(step), **state.persistent.tensors}
        take_step(fabric, state.turns, state.optimizers, batch, shared=shared)
        state.persistent.update(shared)
    return [each for net in state.networks.values() for each in net.state_dict().values()]


@pytest.mark.slow
@pytest.mark.parametrize("precision", PRECISIONS)
@pytest.mark.parametrize("phase", ["pretrain", "adversarial"])
@pytest.mark.parametrize("recipe", RECIPES)
def test_a_recipes_steps_are_the_same_each_time(recipe, phase, precision, device) -> None:
    first, second = (trained(recipe, phase, precision, device) for _ in range(2))
    assert all(weight.isfinite().all() and weight.device.type == device.type for weight in first)
    assert all(map(torch.equal, first, second))


@pytest.mark.slow
@pytest.mark.filterwarnings("ignore::DeprecationWarning", "ignore:The .grad attribute")  # its own
def test_compiled_networks_train_as_those_that_are_not(device, tmp_path) -> None:
    weights = []
    for compiled in (False, True):
        (folder := tmp_path / str(compiled)).mkdir()
        run = trainer(fabric_on(device), Checkpoints(folder), compiled=compiled)
        assert all(
            (net._compiled_call_impl is None) != compiled for net in run.state.networks.values()
        )
        found = run.run(ToySource(), title="toy").state_dict()
        # batch norm takes the bias away, so that only rounding moves it
        weights.append(
            {key: found[key] for key in found.keys() - {"conv.bias", "norm.running_mean"}}
        )
    torch.testing.assert_close(*weights, rtol=1e-3, atol=1e-3)
