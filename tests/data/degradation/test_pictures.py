import numpy as np

from srmodels.data.degradation.pictures import degraded_pictures
from srmodels.resize.images import downscale


def test_the_lr_is_always_the_same_whatever_other_pictures_there_are(photo):
    odd = photo[:91, :126]
    both = degraded_pictures([("a", odd), ("b", photo)], 4)
    again = degraded_pictures([("b", photo)], 4)
    assert both["a"].shape == (22, 31, 3)
    np.testing.assert_array_equal(both["b"], again["b"])
    other = degraded_pictures([("c", photo)], 4)["c"]
    assert (other != both["b"]).any()  # each name has its own degradation


def test_the_lr_shows_the_picture_and_is_worse_than_the_protocols(photo):
    lr = degraded_pictures([("a", photo)], 4)["a"]
    clean = downscale(photo, 4)
    error = np.abs(lr.astype(float) - clean).mean()
    assert 2 < error < np.abs(lr.astype(float) - clean[::-1]).mean()
