"""Fixtures of the engine's tests."""

import pytest
import torch
from lightning_fabric import Fabric

from tests.engine.toys import fabric_on


@pytest.fixture
def fabric(device: torch.device) -> Fabric:
    """A Fabric in float32, on the CPU and on a GPU."""
    return fabric_on(device)
