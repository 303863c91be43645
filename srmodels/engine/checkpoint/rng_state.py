"""The random states a checkpoint keeps: PyTorch's, NumPy's and Python's own.

Ours draw from PyTorch's CPU generator or are functions of (seed, step). The others are kept for
networks and objectives that are yet to come. Python's is also drawn from by libraries in threads,
such as a retried request's pause: what must resume bit for bit does not rest on it.
"""

import random
from collections.abc import Mapping
from typing import Any

import numpy as np
import torch

__all__ = ["rng_state", "seed_all", "set_rng_state"]


def seed_all(seed: int) -> None:
    """Seeds the generators of PyTorch (all devices), NumPy and Python."""
    torch.manual_seed(seed)
    np.random.seed(seed)  # noqa: NPY002 - the same
    random.seed(seed)


def rng_state() -> dict[str, Any]:
    """The generators' states as plain values and tensors, which `weights_only` loads."""
    numpy = np.random.get_state(legacy=False)  # noqa: NPY002 - the global one is the one meant
    assert isinstance(numpy, dict), "NumPy gives a dictionary where legacy is False"
    numpy["state"]["key"] = numpy["state"]["key"].tolist()
    return {
        "torch": torch.get_rng_state(),
        "cuda": torch.cuda.get_rng_state_all() if torch.cuda.is_available() else [],
        "numpy": numpy,
        "python": random.getstate(),
    }


def set_rng_state(state: Mapping[str, Any]) -> None:
    """Puts back what `rng_state` gave; a CUDA device that is no longer there is left out."""
    torch.set_rng_state(state["torch"])
    for device, each in enumerate(state["cuda"][: torch.cuda.device_count()]):
        torch.cuda.set_rng_state(each, device)
    np.random.set_state(state["numpy"])  # noqa: NPY002 - the global one is the one meant
    version, words, gauss = state["python"]
    random.setstate((version, tuple(words), gauss))
