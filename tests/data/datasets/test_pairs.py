"""LR pictures find their HR pictures by name."""

import numpy as np
import pytest
from PIL import Image

from srmodels.data.datasets.benchmarks import lr_pictures
from srmodels.errors import DataError


@pytest.fixture
def folder(tmp_path):
    """Makes a folder of LR pictures, each of another grey."""

    def write(*names):
        for grey, name in enumerate(names):
            path = tmp_path / f"{name}.png"
            path.parent.mkdir(exist_ok=True)
            Image.fromarray(np.full((2, 3, 3), grey, np.uint8)).save(path)
        return tmp_path

    return write


def greys(pairs):
    return {name: int(picture[0, 0, 0]) for name, picture in pairs.items()}


@pytest.mark.parametrize(
    "suffix", ["", "x4", "_x4", "X4", "-x4", "_LR", "_LRBI_x4", "_HR_x4", "_x4_LR"]
)
def test_a_suffix_does_not_hinder(folder, suffix):
    pairs = lr_pictures(["0801", "0802"], folder(f"0802{suffix}", f"0801{suffix}"), scale=4)
    assert greys(pairs) == {"0801": 1, "0802": 0}


def test_hr_may_have_a_suffix_of_its_own(folder):
    assert greys(lr_pictures(["a_HR"], folder("a_LR"), scale=4)) == {"a_HR": 0}


def test_equal_names_come_before_similar_ones(folder):
    pairs = lr_pictures(["a", "ax4"], folder("ax4", "a"), scale=4)
    assert greys(pairs) == {"a": 1, "ax4": 0}


def test_pictures_in_sub_folders_keep_their_place(folder):
    assert greys(lr_pictures(["x/a", "y/a"], folder("y/ax4", "x/ax4"), scale=4)) == {
        "x/a": 1,
        "y/a": 0,
    }


def test_what_does_not_match_is_listed_on_both_sides(folder):
    lr = folder("ax4", "bx2", "c")
    with pytest.raises(DataError, match=r"no LR for b, d; no HR for bx2, c\). .* x4"):
        lr_pictures(["a", "b", "d"], lr, scale=4)


def test_two_lr_of_one_hr_are_not_guessed_between(folder):
    with pytest.raises(DataError, match="no HR for a"):
        lr_pictures(["a"], folder("a_x4", "a_LR"), scale=4)
