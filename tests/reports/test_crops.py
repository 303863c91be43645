import numpy as np

from reports.crops import SIDE, chosen_crops, draw_crops, ranked_crops


def test_the_crop_is_the_one_that_gains_most():
    hr = np.random.default_rng(0).integers(0, 256, (4 * SIDE, 5 * SIDE, 3), np.uint8)
    sr = np.zeros_like(hr)
    sr[SIDE : 2 * SIDE, 2 * SIDE : 3 * SIDE] = hr[SIDE : 2 * SIDE, 2 * SIDE : 3 * SIDE]

    def distance(one, other):
        return float(np.abs(one.astype(float) - other).mean())

    pictures = {"bicubic": np.zeros_like(hr), "generator": sr, "HR": hr}
    ranked = ranked_crops(pictures, distance)
    gain, corner = ranked[0]
    assert corner == (SIDE, 2 * SIDE)
    assert gain > 100
    assert ranked[-1][0] == 0


def test_the_chosen_crops_do_not_overlap_and_the_worst_is_among_them():
    ranked = [(9.0, (64, 64)), (8.0, (64, 128)), (7.0, (192, 64)), (1.0, (320, 320))]
    assert chosen_crops(ranked) == {
        "gains most": ranked[0],
        "gains next": ranked[2],
        "gains least": ranked[3],
    }
    assert chosen_crops(ranked[:1]) == {"gains most": ranked[0]}
    assert chosen_crops(ranked[:2]) == {"gains most": ranked[0]}


def test_every_picture_is_drawn_under_its_name():
    pictures = {name: np.full((200, 200, 3), 80 * n, np.uint8) for n, name in enumerate("abc", 1)}
    drawn = draw_crops(pictures, (48, 48))
    third = drawn.shape[1] // 3
    assert [int(drawn[200, place * third + 100, 0]) for place in range(3)] == [80, 160, 240]
