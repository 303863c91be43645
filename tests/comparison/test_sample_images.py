"""Where the models differ most."""

import numpy as np

from srmodels.comparison.sample_images import most_different_crops


def pictures(photo, *squares):
    """Three pictures, of which the last has brighter squares: top, left and by how much."""
    other = photo // 2
    for top, left, more in squares:
        other[top : top + 16, left : left + 16] += np.uint8(more)
    return [photo // 2, photo // 2, other]


def test_windows_lie_where_the_pictures_differ_the_most_first(photo):
    sr = pictures(photo, (10, 20, 30), (60, 90, 60))
    assert most_different_crops(sr, size=16, count=2) == [(60, 90), (10, 20)]


def test_windows_do_not_overlap(photo):
    corners = most_different_crops(pictures(photo, (10, 20, 30)), size=16, count=9)
    assert len(corners) == 9
    for index, (top, left) in enumerate(corners):
        for other_top, other_left in corners[:index]:
            assert max(abs(top - other_top), abs(left - other_left)) >= 16


def test_there_are_as_many_windows_as_fit(photo):
    assert most_different_crops(pictures(photo), size=96, count=5) == [(0, 0)]


def test_what_is_common_to_all_pictures_does_not_count(photo):
    sr = pictures(photo, (60, 90, 60))
    moved = [(picture + np.uint8(5)) for picture in sr]
    assert most_different_crops(moved, size=16, count=1) == most_different_crops(
        sr, size=16, count=1
    )
