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


def _uses_cuda() -> bool:
    return bool(torch.cuda.is_initialized())  # type: ignore[no-untyped-call]


class RNGState:
    """Reads and sets the global generators' states."""

    def state_dict(self) -> dict[str, Any]:
        """Plain values and tensors, which `weights_only` loads; of GPUs, that of this process."""
        numpy = np.random.get_state(legacy=False)  # noqa: NPY002 - the global generator
        assert isinstance(numpy, dict), "NumPy gives a dictionary where legacy is False"
        numpy["state"]["key"] = numpy["state"]["key"].tolist()
        return {
            "torch": torch.get_rng_state(),
            "cuda": [torch.cuda.get_rng_state()] if _uses_cuda() else [],
            "numpy": numpy,
            "python": random.getstate(),
        }

    def load_state_dict(self, state: Mapping[str, Any]) -> None:
        """Restores `state_dict`; ignores CUDA's state where this process uses no GPU."""
        torch.set_rng_state(state["torch"])
        if state["cuda"] and _uses_cuda():
            torch.cuda.set_rng_state(state["cuda"][0])  # of rank 0, as all others' states
        np.random.set_state(state["numpy"])  # noqa: NPY002 - the global generator
        version, words, gauss = state["python"]
        random.setstate((version, tuple(words), gauss))
