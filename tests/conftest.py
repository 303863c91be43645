"""Fixtures for all tests."""

import logging
import os
import signal
from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np
import pytest
import torch
from numpy.typing import NDArray

from srmodels.errors import WeightsError
from srmodels.pretrained.weights import load_weights

torch.set_num_threads(1)  # small tensors: a second thread costs more than it gives
os.environ["OMP_NUM_THREADS"] = "1"  # likewise in the processes that tests start, several at once
if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
    # background jobs of a shell ignore SIGINT, and tests send SIGINT to their child processes
    signal.signal(signal.SIGINT, signal.default_int_handler)

NO_GPU = pytest.mark.skipif(not torch.cuda.is_available(), reason="PyTorch sees no CUDA GPU")


@pytest.fixture(scope="session", params=["cpu", pytest.param("cuda", marks=NO_GPU)])
def device(request: pytest.FixtureRequest) -> torch.device:
    """Runs a test on the CPU and, where there is one, on a CUDA GPU: one body proves both."""
    return torch.device(request.param)


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Files that take longest come first, or one worker would end minutes after the other."""
    slow = {item.path for item in items if item.get_closest_marker("slow")}
    items.sort(key=lambda item: ("stages" not in item.path.parts, item.path not in slow))


@pytest.fixture(scope="session")
def shared() -> Path:
    """The folder of benchmark sets beside the repository; skips the test if there is none."""
    folder = Path(__file__).resolve().parents[1].parent / "shared"
    if not (folder / "data" / "benchmarks").is_dir():
        pytest.skip("no folder of benchmark sets beside the repository")
    return folder


@pytest.fixture(scope="session")
def pretrained() -> Callable[[str], dict[str, torch.Tensor]]:
    """Reads ImageNet's or a metric's weights by name, where they are installed or in the cache."""

    def read(name: str) -> dict[str, torch.Tensor]:
        try:
            return load_weights(name)
        except WeightsError as error:
            # requirements.lock brings all but NIQE's; damaged weights are no reason to skip
            if name != "niqe" or "no pretrained weights" not in str(error):
                raise
            pytest.skip(str(error))

    return read


@pytest.fixture
def photo() -> NDArray[np.uint8]:
    """A fixed picture with edges, texture and smooth areas, uint8 (96, 128, 3)."""
    rng = np.random.default_rng(0)
    y, x = np.mgrid[0:96, 0:128]
    waves = np.stack([np.sin(x / 5 + y / 9), np.cos(x / 3), np.sin(y / 4 - x / 11)], axis=-1)
    picture = 120 + 60 * waves + 12 * rng.standard_normal((96, 128, 3))
    picture[30:60, 40:90] = (200, 40, 90)
    return picture.clip(0, 255).astype(np.uint8)


@pytest.fixture(autouse=True)
def _remove_log_handlers() -> Iterator[None]:
    """Removes handlers of a stage's main, whose captured stream closes after the test."""
    root = logging.getLogger()
    before = list(root.handlers)
    yield
    for handler in root.handlers[:]:
        if handler not in before and type(handler) is logging.StreamHandler:
            root.removeHandler(handler)


@pytest.fixture(autouse=True)
def _fixed_seed() -> None:
    torch.manual_seed(0)
