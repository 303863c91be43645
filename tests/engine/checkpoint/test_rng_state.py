import random

import numpy as np
import torch

from srmodels.engine.checkpoint.rng_state import RNGState, seed_all


def drawn():
    return float(torch.rand(())), np.random.rand(), np.random.normal(), random.random()  # noqa: NPY002


def test_what_is_drawn_goes_on_from_a_saved_state(tmp_path) -> None:
    drawn()
    torch.save(RNGState().state_dict(), tmp_path / "state.pt")
    expected = drawn()
    RNGState().load_state_dict(torch.load(tmp_path / "state.pt", weights_only=True))
    assert drawn() == expected


def test_a_seed_decides_all_generators() -> None:
    seed_all(3)
    expected = drawn()
    seed_all(3)
    assert drawn() == expected
