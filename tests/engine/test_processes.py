"""Several processes train as one would: they see its batches, its losses and its end."""

import shutil
import signal
import time

import pandas as pd
import pytest
import torch
from safetensors.torch import load_file

from srmodels import objectives
from tests.engine.processes import TRAININGS, failing, killed, losses, run, signalled, train

pytestmark = pytest.mark.slow
TWO_GPUS = pytest.mark.skipif(torch.cuda.device_count() < 2, reason="needs two CUDA GPUs")


@pytest.fixture(scope="module", params=["cpu", pytest.param("cuda", marks=TWO_GPUS)])
def kind(request):
    """Two processes on a CPU, and where there are two GPUs on one of them each."""
    return request.param


@pytest.fixture(scope="module")
def runs(kind, tmp_path_factory):
    """Everything trained by one process, and by two with half of each batch."""
    folders = {}
    for count in (1, 2):
        folders[count] = tmp_path_factory.mktemp(f"by-{count}")
        assert run(count, losses, folders[count], kind, logs=folders[count] / "logs") == [0] * count
    return folders


def curve(folder, name):
    table = pd.read_csv(folder / name / "losses.csv")
    if name == "relativistic":  # leaves the logits' common level open, and rounding moves it
        table["d_real"] -= table.pop("d_fake")
    return table


@pytest.mark.parametrize("name", TRAININGS)
def test_two_processes_have_the_losses_of_one_with_the_whole_batch(runs, name) -> None:
    one, two = (curve(runs[count], name) for count in (1, 2))
    assert len(one) == 20
    pd.testing.assert_frame_equal(one, two, rtol=1e-9, atol=1e-12)


@pytest.fixture(scope="module")
def whole(kind, tmp_path_factory):
    """A training by two processes that nothing disturbs."""
    folder = tmp_path_factory.mktemp("whole")
    assert run(2, train, folder, kind, logs=folder / "logs") == [0, 0]
    return load_file(folder / "weights.safetensors")


def test_killed_twice_and_pre_empted_it_ends_as_if_undisturbed_by_one_process_too(
    whole, kind, tmp_path
) -> None:
    two, one, logs = (tmp_path / name for name in ("two", "one", "logs"))
    for step in (10, 15):
        assert -signal.SIGKILL in run(2, killed, two, step, kind, logs=logs)
    assert run(2, signalled, two, 21, kind, logs=logs) == [128 + signal.SIGUSR1] * 2
    shutil.copytree(two, one)
    for count, folder in ((2, two), (1, one)):
        assert run(count, train, folder, kind, logs=logs) == [0] * count
        found = load_file(folder / "weights.safetensors")
        for key, value in whole.items():
            # Adam makes steps of one length out of gradients of any, rounding errors included
            torch.testing.assert_close(found[key], value, rtol=1e-2, atol=2e-4)
            assert count == 1 or torch.equal(found[key], value)


def test_a_killed_process_ends_the_others_with_a_message(tmp_path) -> None:
    start = time.monotonic()
    codes = run(2, killed, tmp_path / "run", 5, logs=tmp_path)
    assert codes == [1, -signal.SIGKILL]
    assert time.monotonic() - start < 20
    assert "another process has ended or does not answer" in (tmp_path / "0").read_text()


def test_a_process_that_fails_tells_the_others_why(tmp_path) -> None:
    assert run(2, failing, tmp_path / "run", 5, logs=tmp_path) == [1, 1]
    for rank in (0, 1):
        assert "data/patches: no patch for this test" in (tmp_path / str(rank)).read_text()


def test_a_batch_that_cannot_be_shared_equally_is_refused_with_sizes_that_can(tmp_path) -> None:
    assert set(run(3, train, tmp_path / "run", logs=tmp_path)) == {1}
    assert (
        "cannot be divided equally among 3 processes (got 4). Set 3 or 6."
        in (tmp_path / "0").read_text()
    )


def test_every_objective_is_among_the_trainings() -> None:
    assert {objective for _, objective, _ in TRAININGS.values()} == set(objectives.names())
