"""NIQE against basicsr 1.4.2, which gives the authors' MATLAB number on baboon to 1e-5."""

import numpy as np
import pytest
from skimage import data

from srmodels.errors import ProtocolError
from srmodels.evaluation.metrics.niqe import Niqe
from tests.evaluation.metrics.conftest import bicubic


@pytest.fixture
def niqe(pretrained):
    pretrained("niqe")
    return Niqe()


@pytest.mark.parametrize(
    ("name", "photograph", "enlargement"),
    [("chelsea", 2.625524, 7.936204), ("coffee", 4.115242, 7.741156)],
)
def test_it_equals_basicsr(name, photograph, enlargement, niqe):
    hr, sr = bicubic(getattr(data, name)())
    assert niqe(hr) == pytest.approx(photograph, abs=2e-3)
    assert niqe(sr) == pytest.approx(enlargement, abs=2e-3)


def test_noise_and_blur_are_worse_than_the_photograph(niqe, chelsea):
    noisy = chelsea + np.random.default_rng(0).normal(0, 25, chelsea.shape)
    assert niqe(chelsea) < niqe(bicubic(chelsea)[1])
    assert niqe(chelsea) < niqe(noisy.clip(0, 255).astype(np.uint8))


@pytest.mark.parametrize(("height", "width"), [(95, 500), (96, 191)])
def test_a_picture_of_less_than_two_blocks_is_refused(height, width, niqe, chelsea):
    picture = np.tile(chelsea, (1, 2, 1))[:height, :width]
    with pytest.raises(ProtocolError, match=rf"NIQE: too little .* in {width} x {height}\)"):
        niqe(picture)


def test_a_flat_picture_is_refused(niqe):
    with pytest.raises(ProtocolError, match="got 0 textured blocks"):
        niqe(np.full((200, 200, 3), 128, np.uint8))


def test_flat_blocks_beside_textured_ones_are_left_out(niqe, chelsea):
    picture = chelsea.copy()
    picture[:96, :96] = 0
    assert np.isfinite(niqe(picture))
