import random

import numpy as np
import torch

from srmodels.engine.checkpoint.rng_state import rng_state, seed_all, set_rng_state


def drawn():
    return float(torch.rand(())), np.random.rand(), np.random.normal(), random.random()  # noqa: NPY002


def test_what_is_drawn_goes_on_from_a_saved_state(tmp_path) -> None:
    drawn()
    torch.save(rng_state(), tmp_path / "state.pt")
    expected = drawn()
    set_rng_state(torch.load(tmp_path / "state.pt", weights_only=True))
    assert drawn() == expected


def test_a_seed_decides_all_generators() -> None:
    seed_all(3)
    expected = drawn()
    seed_all(3)
    assert drawn() == expected
