"""NIQE of a folder of pictures."""

import pytest
from skimage import data

from srmodels.errors import ProtocolError
from srmodels.evaluation.no_reference import no_reference_metrics, no_reference_table


def test_pictures_get_their_scores_and_the_mean(pretrained):
    pretrained("niqe")
    images = [("chelsea", data.chelsea()), ("coffee", data.coffee())]
    metrics = no_reference_metrics(images)
    first, second = metrics["niqe"].values()
    assert metrics["mean"] == {"niqe": pytest.approx((first + second) / 2, abs=1e-6)}
    lines = no_reference_table(metrics).splitlines()
    assert [line.split() for line in lines] == [
        ["image", "NIQE"],
        ["chelsea", f"{first:.2f}"],
        ["coffee", f"{second:.2f}"],
        ["mean", f"{metrics['mean']['niqe']:.2f}"],
    ]


def test_a_picture_that_is_too_small_is_named(pretrained):
    pretrained("niqe")
    with pytest.raises(ProtocolError, match="cat: NIQE: too little to score"):
        no_reference_metrics([("cat", data.chelsea()[:90])])


def test_no_picture_is_refused():
    with pytest.raises(ProtocolError, match="no picture to score"):
        no_reference_metrics([])
