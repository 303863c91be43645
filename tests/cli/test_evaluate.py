"""The commands `srmodels evaluate` and `srmodels scores`, as people type them."""

import json
import shutil

import numpy as np
import pytest
from PIL import Image
from skimage import data

from srmodels import snapshot
from srmodels.images.writers.write import write_picture
from srmodels.resize.images import downscale
from tests.cli.test_main import pictures, typed, weights  # noqa: F401 - fixtures
from tests.inference.small import small, small_settings

# ruff: noqa: F811 - a fixture's name is that of the argument


def test_a_generator_is_scored_beside_bicubic(typed, weights, pictures, tmp_path):
    target = tmp_path / "scores.json"
    code, out, err = typed("evaluate", weights, "--data", pictures, "--json", target)
    assert code == 0, err
    assert [line.split()[1] for line in out.splitlines()] == ["model", "bicubic", "generator"]
    metrics = json.loads(target.read_text())
    assert list(metrics) == ["pictures", "protocol", "versions", "parameters"]
    assert metrics["protocol"]["scale"] == ["4"]
    assert metrics["parameters"] > 0


def test_bicubic_is_scored_alone_at_a_scale(typed, pictures, tmp_path):
    target = tmp_path / "scores.json"
    code, out, err = typed(
        "evaluate", "bicubic", "--data", pictures, "--scale", 2, "--json", target
    )
    assert code == 0, err
    assert "generator" not in out
    assert json.loads(target.read_text())["protocol"]["scale"] == ["2"]


def test_equal_runs_write_equal_scores(typed, weights, pictures, tmp_path):
    written = []
    for name in ("a.json", "b.json"):
        typed("evaluate", weights, "--data", pictures, "--json", tmp_path / name)
        written.append((tmp_path / name).read_bytes())
    assert written[0] == written[1]


def test_a_vae_is_scored_with_its_samples(typed, pictures, tmp_path):
    path = tmp_path / "vae.safetensors"
    snapshot.save(path, small("srvae"), name="srvae", settings=small_settings("srvae"))
    code, out, err = typed("evaluate", path, "--data", pictures, "--samples", 2)
    assert code == 0, err
    assert [line.split()[1] for line in out.splitlines()[1:]] == ["bicubic", "generator", "samples"]
    assert "diversity" in out
    assert "samples" not in typed("evaluate", path, "--data", pictures, "--samples", 0)[1]


def test_a_mixture_of_two_generators_is_scored_between_them(typed, weights, pictures, tmp_path):
    other = tmp_path / "other.safetensors"
    snapshot.save(other, small("srcnn"), name="srcnn", settings=small_settings("srcnn"))
    words = ("evaluate", weights, "--data", pictures, "--pretrained", other)
    code, out, err = typed(*words, "--strength", 0.25, "--strength", 0.5)
    assert code == 0, err
    models = [line.split()[1] for line in out.splitlines()[1:]]
    assert models == ["bicubic", "pretrained", "strength_0.25", "strength_0.5", "generator"]


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (("--strength", 0.5), "strength: mixes two files of weights"),
        (("--strength", 2), "strengths: must lie between 0 and 1"),
        (("--no-perceptual", "--niqe"), "niqe: needs perceptual: true"),
        (("--degraded", "--lr", "."), "--degraded: makes LR itself (got --lr, too)"),
        (("--samples", 1), "samples: must be 2 or more"),
        (("--scale", 2), "--scale: these weights upscale 4 times (got 2)"),
    ],
)
def test_an_evaluation_that_cannot_be_is_one_line(typed, weights, pictures, words, message):
    code, _, err = typed("evaluate", weights, "--data", pictures, *words)
    assert code == 1
    assert message in err.splitlines()[-1]


def test_bicubic_has_nothing_to_mix(typed, weights, pictures):
    for words in (("--pretrained", weights), ("--self-ensemble",)):
        code, _, err = typed("evaluate", "bicubic", "--data", pictures, *words)
        assert (code, err.splitlines()[-1][:24]) == (1, "error: bicubic: has no w")


def test_a_mistyped_bicubic_is_told_from_other_names(typed, pictures):
    code, _, err = typed("evaluate", "bicubc", "--data", pictures)
    assert code == 1
    assert "bicubic (did you mean bicubic?), or a file's path." in err.splitlines()[-1]


def test_a_generator_is_scored_in_the_precision_asked_for(typed, weights, pictures, tmp_path):
    psnr = []
    for precision in ("fp32", "bf16"):
        target = tmp_path / f"{precision}.json"
        words = ("evaluate", weights, "--data", pictures, "--json", target)
        assert typed(*words, "--precision", precision)[0] == 0
        psnr.append(json.loads(target.read_text())["pictures"]["generator"]["psnr_y"])
    assert psnr[0] != psnr[1]
    assert psnr[0] == pytest.approx(psnr[1], abs=0.2)


def test_an_empty_folder_is_one_line(typed, tmp_path):
    (tmp_path / "empty").mkdir()
    code, _, err = typed("evaluate", "bicubic", "--data", tmp_path / "empty")
    assert (code, err.splitlines()[-1]) == (
        1,
        "error: empty: no picture to score. Add one to the test set.",
    )


def test_weights_are_opened_before_a_set_is_downloaded(typed, tmp_path):
    missing = tmp_path / "none.safetensors"
    code, _, err = typed("evaluate", missing, "--data", "no such set")
    assert (code, err.splitlines()[-1]) == (1, f"error: {missing}: no such file. Check the path.")


def test_a_folder_without_pictures_has_no_niqe(typed, tmp_path):
    code, _, err = typed("evaluate", "--no-reference", tmp_path)
    assert code == 1
    assert err.splitlines()[-1].startswith(f"error: {tmp_path}: no picture to score.")


def test_written_scores_are_printed_again(typed, pictures, tmp_path):
    target = tmp_path / "scores.json"
    _, printed, _ = typed("evaluate", "bicubic", "--data", pictures, "--json", target)
    assert typed("scores", target) == (0, printed, "")
    code, markdown, _ = typed("scores", target, "--markdown")
    assert code == 0
    assert markdown.startswith("| set | model | PSNR-Y (dB) |")


def test_scores_that_are_not_there_are_one_line(typed, tmp_path):
    code, _, err = typed("scores", tmp_path / "none.json")
    assert code == 1
    assert err.startswith(f"error: {tmp_path / 'none.json'}: no such file")


def test_given_lr_is_paired_by_name(typed, weights, pictures, photo, tmp_path):
    write_picture(tmp_path / "lr" / "ax4.png", downscale(photo, 4))
    write_picture(tmp_path / "lr" / "bx4.png", downscale(photo[::-1, :100], 4))
    written = []
    for name, words in (("made", ()), ("given", ("--lr", tmp_path / "lr"))):
        target = tmp_path / f"{name}.json"
        code, _, err = typed("evaluate", weights, "--data", pictures, "--json", target, *words)
        assert code == 0, err
        written.append(json.loads(target.read_text()))
    assert written[0]["pictures"] == written[1]["pictures"]
    assert written[0]["protocol"]["lr"] != written[1]["protocol"]["lr"]


def test_lr_of_another_scale_is_one_line_with_names(typed, weights, pictures, photo, tmp_path):
    for name, hr in (("a", photo), ("b", photo[::-1, :100])):
        write_picture(tmp_path / "lr" / f"{name}.png", downscale(hr, 2))
    code, _, err = typed("evaluate", weights, "--data", pictures, "--lr", tmp_path / "lr")
    assert code == 1
    assert "a: 64 x 48 for 128 x 96; b: 50 x 48 for 100 x 96" in err.splitlines()[-1]


def test_a_self_ensemble_is_a_row_and_in_the_protocol_and_the_files_name(
    typed, weights, pictures, tmp_path
):
    words = ("evaluate", weights, "--data", pictures, "--self-ensemble", "--json", tmp_path)
    code, out, err = typed(*words)
    assert code == 0, err
    models = [line.split()[1] for line in out.splitlines()[1:]]
    assert models == ["bicubic", "generator", "generator+x8"]
    metrics = json.loads((tmp_path / "weights+x8-pictures.json").read_text())
    assert "ensemble" in metrics["protocol"]


def test_grey_16_bit_and_transparent_pictures_are_scored(typed, photo, tmp_path):
    grey = photo[..., 0]
    (tmp_path / "odd").mkdir()
    Image.fromarray(grey).save(tmp_path / "odd" / "grey.png")
    Image.fromarray(grey.astype(np.uint16) * 257).save(tmp_path / "odd" / "deep.png")
    Image.fromarray(photo).convert("RGBA").save(tmp_path / "odd" / "rgba.png")
    target = tmp_path / "scores.json"
    code, _, err = typed("evaluate", "bicubic", "--data", tmp_path / "odd", "--json", target)
    assert code == 0, err
    assert json.loads(target.read_text())["odd"]["bicubic"]["psnr_y_high"] > 20


def test_a_picture_within_the_border_is_one_line(typed, weights, pictures, photo):
    write_picture(pictures / "c.png", photo[:9, :40])
    code, _, err = typed("evaluate", weights, "--data", pictures)
    assert code == 1
    assert "picture too small to score (got c: 40 x 9 pixels)" in err.splitlines()[-1]


def test_a_set_that_is_nowhere_is_one_line(typed, monkeypatch, tmp_path):
    monkeypatch.setenv("SRMODELS_DATA", str(tmp_path))
    code, _, err = typed("evaluate", "bicubic", "--data", "Urban100")
    assert code == 1
    assert err.startswith("error: Urban100: not found")


def test_pictures_without_hr_get_niqe(typed, pretrained, tmp_path):
    pretrained("niqe")
    (tmp_path / "mine").mkdir()
    Image.fromarray(data.chelsea()).save(tmp_path / "mine" / "cat.png")
    code, out, err = typed("evaluate", "--no-reference", tmp_path / "mine", "--json", tmp_path)
    assert code == 0, err
    assert out.splitlines()[1].split()[0] == "cat"
    assert json.loads((tmp_path / "mine-niqe.json").read_text())["mean"]["niqe"] > 0


@pytest.mark.parametrize("words", [(), ("bicubic",), ("--data", "Set5")])
def test_an_evaluation_of_nothing_is_one_line(typed, words):
    code, _, err = typed("evaluate", *words)
    assert code == 1
    assert "Give both, or --no-reference FOLDER" in err.splitlines()[-1]


def test_perceptual_scores_are_left_out_on_demand(typed, pictures):
    assert "LPIPS" in typed("evaluate", "bicubic", "--data", pictures)[1]
    assert "LPIPS" not in typed("evaluate", "bicubic", "--data", pictures, "--no-perceptual")[1]


def test_degraded_lr_is_a_set_of_its_own_and_harder(typed, pictures):
    words = ("evaluate", "bicubic", "--data", pictures, "--no-perceptual")
    (_, clean, _), (code, out, err) = typed(*words), typed(*words, "--degraded")
    assert code == 0, err
    (name, _, psnr), (_, _, clean_psnr) = (
        text.splitlines()[1].split()[:3] for text in (out, clean)
    )
    assert name.endswith("_degraded")
    assert float(psnr) < float(clean_psnr)


@pytest.mark.parametrize("option", ["--data", "--no-reference", "--lr"])
def test_all_broken_pictures_are_named_at_once_and_none_is_scored(typed, photo, tmp_path, option):
    (tmp_path / "set" / "inner").mkdir(parents=True)
    for name in ("a", "inner/b", "c"):
        write_picture(tmp_path / "set" / f"{name}.png", photo)
    whole = shutil.copytree(tmp_path / "set", tmp_path / "whole")
    broken = [tmp_path / "set" / name for name in ("c.png", "inner/b.png")]
    for path in broken:
        path.write_bytes(path.read_bytes()[:-300])
    data = ["--data", whole] if option == "--lr" else []
    words = ["--no-perceptual"] if option == "--no-reference" else ["bicubic", "--no-perceptual"]
    code, out, err = typed("evaluate", *words, *data, option, tmp_path / "set")
    assert (code, out) == (1, "")
    assert err.startswith(f"error: {tmp_path / 'set'}: 2 of 3 pictures cannot be read (got ")
    assert all(f"{path}: is cut off" in err for path in broken)
    assert err.endswith("). Mend or remove them.\n")
    assert err.count("\n") == 1
