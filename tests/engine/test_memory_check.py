import logging
from types import SimpleNamespace

import pytest
import torch

from srmodels.data.batches.batch import Batch
from srmodels.engine.checkpoint.checkpoint import Checkpoints
from srmodels.engine.checkpoint.rng_state import RNGState
from srmodels.engine.memory import MemoryCheck
from srmodels.engine.settings import TrainSettings
from srmodels.errors import TrainingError
from tests.conftest import NO_GPU
from tests.engine.toys import ToySource, fabric_on, trainer


def random_states():
    state = RNGState().state_dict()
    return [state["torch"], *state["cuda"]]


@pytest.fixture
def state(fabric, tmp_path):
    state = trainer(fabric, Checkpoints(tmp_path)).state
    state.persistent.tensors = {"persistent/mean": torch.tensor(0.5, device=fabric.device)}
    return state


@pytest.fixture
def batch(device):
    batch = ToySource().batch(0)
    return Batch(lr=batch.lr.to(device), hr=batch.hr.to(device), photos=batch.photos)


def test_the_memory_is_logged_and_nothing_changes(state, batch, device, caplog):
    caplog.set_level(logging.INFO)
    before = {
        f"{role}.{name}": value.clone()
        for role, network in state.networks.items()
        for name, value in network.state_dict().items()
    }
    random = random_states()
    MemoryCheck(TrainSettings(steps=1, batch_size=4)).measure(state, batch)
    assert "memory: at least" in caplog.text
    assert "activations of 4 samples" in caplog.text
    for role, network in state.networks.items():
        for name, value in network.state_dict().items():
            assert torch.equal(before[f"{role}.{name}"], value)
    assert all(map(torch.equal, random, random_states()))
    assert state.persistent.tensors == {"persistent/mean": torch.tensor(0.5, device=device)}


def test_too_large_a_batch_says_which_would_fit(state, batch, monkeypatch):
    fitting = MemoryCheck(TrainSettings(steps=1, batch_size=64))
    fitting.measure(state, batch)
    room = SimpleNamespace(total_memory=200_000)
    monkeypatch.setattr(torch.cuda, "get_device_properties", lambda device: room)
    with (
        pytest.raises(
            TrainingError, match=r"batch_size: does not fit .*got 64: .*Set batch_size \d+"
        ),
        fitting.explain_errors(torch.device("cpu")),
    ):
        raise torch.OutOfMemoryError


@NO_GPU
def test_a_gpu_that_has_no_more_memory_gives_that_error(tmp_path):
    gpu, fitting = torch.device("cuda"), MemoryCheck(TrainSettings(steps=1, batch_size=64))
    batch = ToySource().batch(0)
    state = trainer(fabric_on(gpu), Checkpoints(tmp_path)).state
    fitting.measure(state, Batch(lr=batch.lr.to(gpu), hr=batch.hr.to(gpu), photos=batch.photos))
    with (
        pytest.raises(TrainingError, match=r"got 64: .*Set batch_size 63"),
        fitting.explain_errors(gpu),
    ):
        torch.empty(2**50, dtype=torch.uint8, device=gpu)


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
