import random

import numpy as np
import torch

from srmodels.engine.checkpoint.rng_state import RNGState, seed_all


def drawn(device):
    on_device = float(torch.rand((), device=device))
    return on_device, float(torch.rand(())), np.random.rand(), np.random.normal(), random.random()  # noqa: NPY002


def test_what_is_drawn_goes_on_from_a_saved_state(device, tmp_path) -> None:
    drawn(device)
    torch.save(RNGState().state_dict(), tmp_path / "state.pt")
    expected = drawn(device)
    RNGState().load_state_dict(torch.load(tmp_path / "state.pt", weights_only=True))
    assert drawn(device) == expected


def test_a_seed_decides_all_generators(device) -> None:
    seed_all(3)
    expected = drawn(device)
    seed_all(3)
    assert drawn(device) == expected
