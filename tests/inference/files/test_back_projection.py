"""Back-projection, whole and in parts."""

import numpy as np

from srmodels.inference.files import back_projection as module
from srmodels.inference.files.back_projection import back_project
from srmodels.resize.images import downscale
from srmodels.resize.tensors import enlarge_image


def corrected(sr, lr, size, **options):
    bands = iter([sr[top : top + size] for top in range(0, len(sr), size)])
    return np.concatenate(list(back_project(bands, lr, scale=4, **options)))


def tinted(photo):
    """LR, and SR that is soft and too red."""
    lr = downscale(photo, 4)
    sr = enlarge_image(lr, 4).astype(int) + np.array((12, 0, -5))
    return lr, sr.clip(0, 255).astype(np.uint8)


def test_parts_equal_the_whole(monkeypatch, photo):
    tall = np.tile(photo, (5, 1, 1))
    lr, sr = tinted(tall)
    at_once = corrected(sr, lr, len(sr))
    monkeypatch.setattr(module, "_PIXELS", 1)
    in_parts = corrected(sr, lr, 50)
    np.testing.assert_array_equal(in_parts, at_once)


def test_a_shift_of_colour_goes(photo):
    lr, sr = tinted(photo)
    made = corrected(sr, lr, 16)
    assert abs((made.astype(int) - enlarge_image(lr, 4)).mean(axis=(0, 1))).max() < 0.1


def test_more_iterations_come_nearer(photo):
    lr, sr = tinted(photo)
    errors = [
        np.square(downscale(corrected(sr, lr, 16, iterations=n), 4).astype(float) - lr).mean()
        for n in (0, 1, 2, 8)
    ]
    assert errors == sorted(errors, reverse=True)
    assert errors[0] > 50
    assert errors[-1] < 0.1
