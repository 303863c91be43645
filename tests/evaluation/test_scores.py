"""The scores of whole pictures, and the table they make."""

import numpy as np
import pytest

from srmodels.errors import ProtocolError
from srmodels.evaluation.colour import colour_shift, lab_shift
from srmodels.evaluation.protocol import protocol
from srmodels.evaluation.psnr import psnr_y
from srmodels.evaluation.scores import PROTOCOL, evaluate, means, scores
from srmodels.evaluation.sharpness import sharpness_y
from srmodels.evaluation.ssim import ssim_y
from srmodels.resize import enlarge_image, reduce_image

KEYS = [
    "psnr_y",
    "ssim_y",
    "sharpness",
    "colour_shift",
    "checkerboard",
    "shift_l",
    "shift_a",
    "shift_b",
]


def blocks(lr):
    return lr.repeat(4, axis=0).repeat(4, axis=1)


def test_scores_have_always_the_same_names(photo):
    assert list(scores(photo, photo, scale=4)) == KEYS


def test_scores_are_those_of_the_single_functions(photo):
    sr = enlarge_image(reduce_image(photo, 4), 4)
    made = scores(sr, photo, scale=4)
    lightness, red, yellow = lab_shift(sr, photo)
    expected = [psnr_y(sr, photo, border=4), ssim_y(sr, photo, border=4)]
    expected += [sharpness_y(sr, photo, border=4), colour_shift(sr, photo)]
    assert [made[key] for key in KEYS[:4]] == pytest.approx(expected, abs=1e-6)
    assert [made[key] for key in KEYS[5:]] == pytest.approx([lightness, red, yellow], abs=1e-6)


def test_scores_are_rounded_to_6_decimals(photo):
    made = scores(enlarge_image(reduce_image(photo, 4), 4), photo, scale=4)
    assert all(round(value, 6) == value for value in made.values())


def test_the_protocol_says_how_every_score_is_made():
    spoken = {"shift" if key.startswith("shift_") else key for key in KEYS}
    assert spoken <= PROTOCOL.keys()
    assert protocol(3)["scale"] == ["3"]


def test_bicubic_is_always_the_first_row(photo):
    table = evaluate({"blocks": blocks}, [("a", photo), ("b", photo[::-1])], scale=4)
    assert list(table.columns) == ["image", "model", *KEYS]
    rows = list(zip(table["image"], table["model"], strict=True))
    assert rows == [("a", "bicubic"), ("a", "blocks"), ("b", "bicubic"), ("b", "blocks")]


def test_bicubics_row_is_the_bicubic_enlargement(photo):
    table = evaluate({}, [("a", photo)], scale=4)
    sr = enlarge_image(reduce_image(photo, 4), 4)
    assert table.loc[0, "psnr_y"] == scores(sr, photo, scale=4)["psnr_y"]


def test_hr_is_cut_to_a_multiple_of_the_scale(photo):
    uneven = evaluate({}, [("a", photo[:-1, :-3])], scale=4)
    even = evaluate({}, [("a", photo[:-4, :-4])], scale=4)
    assert uneven.equals(even)


def test_each_picture_is_shown_with_its_lr_and_every_sr(photo):
    seen = []
    evaluate({"blocks": blocks}, [("a", photo)], scale=4, show=seen.append)
    (shown,) = seen
    assert (shown.image, shown.lr.shape, list(shown.pictures), shown.samples) == (
        "a",
        (24, 32, 3),
        ["bicubic", "blocks"],
        [],
    )
    np.testing.assert_array_equal(shown.hr, photo)


def brighter(lr, place):
    """Two samples, the second brighter by 1 in the first picture, by 2 in the second."""
    return [np.minimum(blocks(lr), 250), np.minimum(blocks(lr), 250) + np.uint8(place + 1)]


def test_samples_are_a_row_of_mean_scores_and_their_diversity(photo):
    table = evaluate({"blocks": blocks}, [("a", photo), ("b", photo)], scale=4, draw=brighter)
    rows = table[table["model"] == "samples"]
    assert list(rows["image"]) == ["a", "b"]
    assert list(rows["diversity"]) == [0.5, 1.0]
    each = [scores(sr, photo, scale=4) for sr in brighter(reduce_image(photo, 4), 1)]
    expected = (each[0]["psnr_y"] + each[1]["psnr_y"]) / 2
    assert rows["psnr_y"].iloc[1] == pytest.approx(expected, abs=1e-6)


def test_only_samples_have_a_diversity(photo):
    found = means(evaluate({"blocks": blocks}, [("a", photo)], scale=4, draw=brighter))
    assert list(found) == ["bicubic", "blocks", "samples"]
    assert list(found["blocks"]) == KEYS
    assert list(found["samples"]) == [*KEYS, "diversity"]


def test_means_are_over_pictures_by_model(photo):
    table = evaluate({"blocks": blocks}, [("a", photo), ("b", photo[:48])], scale=4)
    found = means(table)
    assert list(found) == ["bicubic", "blocks"]
    assert list(found["blocks"]) == KEYS
    rows = table[table["model"] == "blocks"]
    assert found["blocks"]["psnr_y"] == pytest.approx(rows["psnr_y"].mean(), abs=1e-6)


def test_a_bicubic_under_20_db_means_the_protocol_is_broken():
    noise = np.random.default_rng(0).integers(0, 256, (64, 64, 3), dtype=np.uint8)
    with pytest.raises(ProtocolError, match=r"bicubic: PSNR-Y is 1\d\.\d\d dB"):
        evaluate({}, [("noise", noise)], scale=4)


def test_an_upscaler_of_another_scale_is_named_with_the_picture(photo):
    with pytest.raises(ProtocolError, match="bird, blocks: SR and HR differ in size"):
        evaluate({"blocks": lambda lr: blocks(lr)[:-4]}, [("bird", photo)], scale=4)


def test_no_picture_is_refused():
    with pytest.raises(ProtocolError, match="no picture"):
        evaluate({}, [], scale=4)


@pytest.mark.slow
@pytest.mark.parametrize(
    ("name", "psnr", "ssim"), [("Set5", 28.43, 0.811), ("BSD100", 25.96, 0.668)]
)
def test_bicubic_is_the_published_one(shared, name, psnr, ssim):
    """Published: Set5 28.42 / .8104, BSD100 25.96 / .6675; REFERENCE's own run 28.43, 25.96."""
    from srmodels.data.source import whole_images

    folder = shared / "data" / "benchmarks" / name
    found = means(evaluate({}, whole_images(folder), scale=4))["bicubic"]
    assert found["psnr_y"] == pytest.approx(psnr, abs=0.01)
    assert found["ssim_y"] == pytest.approx(ssim, abs=0.001)
