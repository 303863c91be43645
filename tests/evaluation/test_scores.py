"""The scores of whole pictures, and the table they make."""

import numpy as np
import pytest

from srmodels.errors import ProtocolError
from srmodels.evaluation.means import means
from srmodels.evaluation.metrics.checkerboard import checkerboard
from srmodels.evaluation.metrics.colour import colour_scores
from srmodels.evaluation.metrics.luma import luma_pair
from srmodels.evaluation.metrics.psnr import lr_consistency, psnr_rgb, psnr_y
from srmodels.evaluation.metrics.sharpness import sharpness
from srmodels.evaluation.metrics.ssim import ssim_y
from srmodels.evaluation.perceptual import PERCEPTUAL
from srmodels.evaluation.protocol import PROTOCOL, protocol
from srmodels.evaluation.scores import evaluate, scores
from srmodels.resize.images import downscale
from srmodels.resize.tensors import enlarge_image

KEYS = [
    "psnr_y",
    "ssim_y",
    "psnr_rgb",
    "sharpness",
    "colour_shift",
    "checkerboard",
    "lr_consistency",
    "shift_l",
    "shift_a",
    "shift_b",
]


def blocks(lr):
    return lr.repeat(4, axis=0).repeat(4, axis=1)


def bicubic(hr):
    """SR of HR, and its scores."""
    lr = downscale(hr, 4)
    sr = enlarge_image(lr, 4)
    return sr, scores(sr, hr, lr=lr, scale=4)


def test_scores_have_always_the_same_names(photo):
    assert list(bicubic(photo)[1]) == KEYS


def test_scores_are_those_of_the_single_functions(photo):
    sr, made = bicubic(photo)
    y = luma_pair(sr, photo, border=4)
    shift, tint = colour_scores(sr, photo)
    expected = [score(sr, photo, border=4) for score in (psnr_y, ssim_y, psnr_rgb)]
    expected += [sharpness(*y), shift, checkerboard(*y, scale=4)]
    expected += [lr_consistency(sr, downscale(photo, 4), scale=4), *tint]
    assert list(made.values()) == pytest.approx(expected, abs=1e-6)


def test_scores_are_rounded_to_6_decimals(photo):
    assert all(round(value, 6) == value for value in bicubic(photo)[1].values())


def distances(pictures, hr):
    """Perceptual scores: 1 for the first of the pictures, 2 for the second, of the whole HR."""
    assert all(sr.shape == hr.shape for sr in pictures)
    return [dict.fromkeys(PERCEPTUAL, float(place)) for place, _ in enumerate(pictures, 1)]


def test_perceptual_scores_are_asked_for_once_a_picture_and_follow_the_others(photo):
    table = evaluate(
        {"blocks": blocks}, [("a", photo)], scale=4, draw=brighter, perceptual=distances
    )
    assert list(table.columns) == ["image", "model", *KEYS, *PERCEPTUAL, "diversity"]
    assert list(table["dists"]) == [1, 2, 3.5]
    assert PERCEPTUAL[0] not in evaluate({}, [("a", photo)], scale=4)


def test_the_protocol_says_how_perceptual_scores_are_made():
    assert set(PERCEPTUAL) == protocol(4, perceptual=PERCEPTUAL).keys() - protocol(4).keys()


def test_the_protocol_says_how_every_score_is_made():
    spoken = {"shift" if key.startswith("shift_") else key for key in KEYS}
    assert spoken <= PROTOCOL.keys()
    assert protocol(3)["scale"] == ["3"]


def test_the_protocol_says_what_an_option_changes():
    given = protocol(4, given_lr=["Set5"], ensemble=True)
    assert given["lr"] != PROTOCOL["lr"]
    assert "8 flips and turns" in given["ensemble"][0]


def test_bicubic_is_always_the_first_row(photo):
    table = evaluate({"blocks": blocks}, [("a", photo), ("b", photo[::-1])], scale=4)
    assert list(table.columns) == ["image", "model", *KEYS]
    rows = list(zip(table["image"], table["model"], strict=True))
    assert rows == [("a", "bicubic"), ("a", "blocks"), ("b", "bicubic"), ("b", "blocks")]


def test_bicubics_row_is_the_bicubic_enlargement(photo):
    table = evaluate({}, [("a", photo)], scale=4)
    assert table.loc[0, "psnr_y"] == bicubic(photo)[1]["psnr_y"]


def test_a_given_lr_is_what_everyone_enlarges(photo):
    lr = np.maximum(downscale(photo, 4), 3) - np.uint8(3)
    seen = []
    evaluate({"blocks": blocks}, [("a", photo)], scale=4, lr={"a": lr}, show=seen.append)
    np.testing.assert_array_equal(seen[0].pictures["blocks"], blocks(lr))
    np.testing.assert_array_equal(seen[0].lr, lr)


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
    lr = downscale(photo, 4)
    each = [scores(sr, photo, lr=lr, scale=4) for sr in brighter(lr, 1)]
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


def test_three_pictures_have_intervals_around_all_but_signed_means(photo):
    images = [("a", photo), ("b", photo[:48]), ("c", photo[:, 40:])]
    found = means(evaluate({}, images, scale=4))["bicubic"]
    bounded = [key for key in KEYS if f"{key}_low" in found]
    assert bounded == [key for key in KEYS if not key.startswith("shift_")]
    assert all(found[f"{key}_low"] < found[key] < found[f"{key}_high"] for key in bounded)


def test_a_bicubic_under_20_db_means_the_protocol_is_broken():
    noise = np.random.default_rng(0).integers(0, 256, (64, 64, 3), dtype=np.uint8)
    with pytest.raises(ProtocolError, match=r"bicubic: PSNR-Y is too low .*got 1\d\.\d\d dB"):
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
    from srmodels.images.readers.folder import whole_images

    folder = shared / "data" / "benchmarks" / name
    found = means(evaluate({}, whole_images(folder), scale=4))["bicubic"]
    assert found["psnr_y"] == pytest.approx(psnr, abs=0.01)
    assert found["ssim_y"] == pytest.approx(ssim, abs=0.001)
