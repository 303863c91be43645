"""The random states of PyTorch, NumPy and Python, which a checkpoint keeps.

Networks and objectives draw from PyTorch's CPU generator. Libraries' threads draw from Python's
(such as a retried request's pause), so nothing that must resume bit for bit may use that one.
"""

import random
from collections.abc import Mapping
from typing import Any

import numpy as np
import torch


def seed_all(seed: int) -> None:
    """Seeds the generators of PyTorch (all devices), NumPy and Python."""
    torch.manual_seed(seed)
    np.random.seed(seed)  # noqa: NPY002 - the global generator
    random.seed(seed)


class RNGState:
    """Reads and sets the global generators' states."""

    def state_dict(self) -> dict[str, Any]:
        """Plain values and tensors, which `weights_only` loads."""
        numpy = np.random.get_state(legacy=False)  # noqa: NPY002 - the global generator
        assert isinstance(numpy, dict), "NumPy gives a dictionary where legacy is False"
        numpy["state"]["key"] = numpy["state"]["key"].tolist()
        return {
            "torch": torch.get_rng_state(),
            "cuda": torch.cuda.get_rng_state_all() if torch.cuda.is_available() else [],
            "numpy": numpy,
            "python": random.getstate(),
        }

    def load_state_dict(self, state: Mapping[str, Any]) -> None:
        """Restores `state_dict`; ignores CUDA devices that are no longer there."""
        torch.set_rng_state(state["torch"])
        for device, cuda in enumerate(state["cuda"][: torch.cuda.device_count()]):
            torch.cuda.set_rng_state(cuda, device)
        np.random.set_state(state["numpy"])  # noqa: NPY002 - the global generator
        version, words, gauss = state["python"]
        random.setstate((version, tuple(words), gauss))
