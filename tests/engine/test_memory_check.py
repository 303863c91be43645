import logging
from types import SimpleNamespace

import pytest
import torch
from lightning_fabric import Fabric

from srmodels.engine.checkpoint.checkpoint import Checkpoints
from srmodels.engine.memory import MemoryCheck
from srmodels.engine.settings import TrainSettings
from srmodels.errors import TrainingError
from tests.engine.toys import ToySource, trainer


@pytest.fixture
def state(tmp_path):
    fabric = Fabric(accelerator="cpu", devices=1, precision="32-true")
    state = trainer(fabric, Checkpoints(tmp_path)).state
    state.persistent.tensors = {"persistent/mean": torch.tensor(0.5)}
    return state


def test_the_memory_is_logged_and_nothing_changes(state, caplog):
    caplog.set_level(logging.INFO)
    before = {
        f"{role}.{name}": value.clone()
        for role, network in state.networks.items()
        for name, value in network.state_dict().items()
    }
    random = torch.get_rng_state()
    MemoryCheck(TrainSettings(steps=1, batch_size=4)).measure(state, ToySource().batch(0))
    assert "memory: at least" in caplog.text
    assert "activations of 4 samples" in caplog.text
    for role, network in state.networks.items():
        for name, value in network.state_dict().items():
            assert torch.equal(before[f"{role}.{name}"], value)
    assert torch.equal(torch.get_rng_state(), random)
    assert state.persistent.tensors == {"persistent/mean": torch.tensor(0.5)}


def test_too_large_a_batch_says_which_would_fit(state, monkeypatch):
    fitting = MemoryCheck(TrainSettings(steps=1, batch_size=64))
    fitting.measure(state, ToySource().batch(0))
    room = SimpleNamespace(total_memory=200_000)
    monkeypatch.setattr(torch.cuda, "get_device_properties", lambda device: room)
    with (
        pytest.raises(
            TrainingError, match=r"batch_size: does not fit .*got 64: .*Set batch_size \d+"
        ),
        fitting.explain_errors(torch.device("cpu")),
    ):
        raise torch.OutOfMemoryError


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"accumulate": 3}, "accumulate must divide batch_size, 16"),
        ({"accumulate": 2, "precision": "16-mixed"}, "accumulate must be 1 where"),
    ],
)
def test_parts_that_cannot_be_are_refused(changes, message):
    with pytest.raises(ValueError, match=message):
        TrainSettings(steps=1, **changes)
