import numpy as np

from reports.first_picture import SIDE, best_corner, draw_crops


def test_the_crop_is_the_one_that_gains_most():
    hr = np.random.default_rng(0).integers(0, 256, (4 * SIDE, 5 * SIDE, 3), np.uint8)
    sr = np.zeros_like(hr)
    sr[SIDE : 2 * SIDE, 2 * SIDE : 3 * SIDE] = hr[SIDE : 2 * SIDE, 2 * SIDE : 3 * SIDE]

    def distance(one, other):
        return float(np.abs(one.astype(float) - other).mean())

    gain, corner = best_corner(np.zeros_like(hr), sr, hr, distance)
    assert corner == (SIDE, 2 * SIDE)
    assert gain > 100


def test_every_picture_is_drawn_under_its_name():
    pictures = {name: np.full((200, 200, 3), 80 * n, np.uint8) for n, name in enumerate("abc", 1)}
    drawn = draw_crops(pictures, (48, 48))
    third = drawn.shape[1] // 3
    assert [int(drawn[200, place * third + 100, 0]) for place in range(3)] == [80, 160, 240]
