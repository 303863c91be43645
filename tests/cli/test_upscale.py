"""The command `srmodels upscale`, as people type it and as it is disturbed."""

import io
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image

from srmodels import snapshot
from srmodels.images.readers.decode import decode
from srmodels.images.readers.source_image import read_image
from srmodels.images.writers.write import write_picture
from tests.cli.test_main import pictures, typed, weights  # noqa: F401 - fixtures
from tests.inference.small import small, small_settings

# ruff: noqa: F811 - a fixture's name is that of the argument

COMMAND = (sys.executable, "-m", "srmodels.cli.main", "upscale")


@pytest.fixture
def upscaled(typed, weights, tmp_path):
    """Runs the command into a folder; returns exit code, stdout, stderr."""
    return lambda *words: typed("upscale", "-o", tmp_path / "out", "--weights", weights, *words)


def test_a_folder_of_any_pictures_goes_through(upscaled, pictures, photo, tmp_path):
    Image.fromarray(photo).convert("CMYK").save(pictures / "cmyk.jpg")
    Image.fromarray(np.dstack((photo, photo[..., 0]))).save(pictures / "clear.png")
    Image.fromarray(photo).convert("L").save(pictures / "grey.webp")
    code, out, err = upscaled(pictures)
    assert code == 0, err
    assert "5 of 5 pictures written" in out
    assert read_image(tmp_path / "out" / "clear.png").alpha is not None


@pytest.mark.parametrize("name", ["jpeg", "webp", "tiff", "heic", "avif"])
def test_results_are_of_the_format_asked_for(upscaled, pictures, tmp_path, name):
    code, _, err = upscaled(pictures / "a.png", "--format", name)
    assert code == 0, err
    (made,) = (tmp_path / "out").iterdir()
    assert decode(made).shape == (384, 512, 3)


def test_size_and_depth_are_as_wished_for(upscaled, pictures, tmp_path):
    words = ("--scale", 2.5, "--max-side", 300, "--bits", 16, "--consistent")
    code, _, err = upscaled(pictures / "a.png", *words)
    assert code == 0, err
    colour = read_image(tmp_path / "out" / "a.png").colour
    assert (colour.shape, colour.dtype) == ((225, 300, 3), np.uint16)


def test_strength_goes_from_the_pretrained_picture_to_the_gans(typed, weights, pictures, tmp_path):
    start = tmp_path / "pretrained.safetensors"
    brighter = small("srcnn")
    with torch.no_grad():
        list(brighter.parameters())[-1].add_(0.2)  # the last bias
    snapshot.save(start, brighter, name="srcnn", settings=small_settings("srcnn"))

    def result(name, *words):
        path = tmp_path / f"{name}.png"
        code, _, err = typed("upscale", pictures / "a.png", "-o", path, *words)
        assert code == 0, err
        return decode(path).astype(int)

    ends = [result(name, "--weights", name) for name in (start, weights)]
    first, middle, last = (
        result(f"at{share}", "--weights", weights, "--strength", share) for share in (0, 0.5, 1)
    )
    assert np.abs(first - ends[0]).max() <= 1
    assert np.abs(last - ends[1]).max() <= 1
    assert (middle != first).any()
    assert (middle != last).any()


def test_samples_of_a_vae_are_files_of_their_own(typed, pictures, tmp_path):
    path = tmp_path / "vae.safetensors"
    snapshot.save(path, small("srvae"), name="srvae", settings=small_settings("srvae"))
    words = ("-o", tmp_path / "out", "--weights", path, "--samples", 2)
    code, _, err = typed("upscale", pictures / "a.png", *words)
    assert code == 0, err
    first, second = (decode(tmp_path / "out" / f"a-{number}.png") for number in (1, 2))
    assert (first != second).any()


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (("--samples", 2), "--samples: srcnn is not a VAE (got 2)"),
        (("--strength", 2), "--strength: out of range (got 2). Use 0 to 1."),
        (("--strength", "nan"), "--strength: out of range (got nan)"),
        (("--strength", 0.5), "--strength: no pretrained weights (got "),
        (("--pretrained", "a.pth"), "--pretrained: has no effect alone"),
        (("--scale", 17), "--scale: is too large for a network of scale 4 (got 17)"),
        (("--scale", 0.5), "--scale: not a factor of 1 or more (got 0.5)"),
        (("--scale", "nan"), "--scale: not a factor of 1 or more (got nan)"),
        (("--bits", 12), "--bits: unsupported depth (got 12). Choose 8"),
        (("--bits", 16, "--format", "jpg"), "--bits: jpeg stores 8 bits (got 16)"),
        (("--format", "gif"), "--format: unknown image format (got 'gif')"),
    ],
)
def test_a_wish_that_cannot_be_is_one_line_before_any_work(
    upscaled, pictures, tmp_path, words, message
):
    code, _, err = upscaled(pictures, *words)
    assert code == 1
    assert err.splitlines()[-1].startswith(f"error: {message}")
    assert not (tmp_path / "out").exists()


def test_existing_results_are_counted(upscaled, pictures):
    upscaled(pictures)
    code, out, _ = upscaled(pictures, "--skip-existing")
    assert code == 0
    assert "0 of 2 pictures written" in out
    assert "(2 were there already)" in out


def test_existing_results_older_than_their_input_are_kept_and_counted(upscaled, pictures, tmp_path):
    upscaled(pictures)
    made = (tmp_path / "out" / "a.png").read_bytes()
    os.utime(tmp_path / "out" / "a.png", (1, 1))
    code, out, _ = upscaled(pictures, "--skip-existing")
    assert code == 0
    assert "(2 were there already, 1 of them older than the input)" in out
    assert (tmp_path / "out" / "a.png").read_bytes() == made


def test_failures_are_listed_again_at_the_end(upscaled, pictures):
    (pictures / "c.png").write_bytes((pictures / "a.png").read_bytes()[:999])
    code, out, err = upscaled(pictures)
    assert code == 1
    assert "2 of 3 pictures written" in out
    assert "(1 failed)" in out
    assert err.splitlines()[-1].startswith("  c.png: is cut off inside its chunk")


@pytest.mark.slow
def test_a_picture_comes_from_one_program_and_goes_to_another(weights, photo):
    file = io.BytesIO()
    Image.fromarray(photo).save(file, "WEBP", lossless=True)
    words = ("-", "-o", "-", "--weights", str(weights), "--format", "png")
    done = subprocess.run(
        [*COMMAND, *words], input=file.getvalue(), capture_output=True, check=False
    )
    assert done.returncode == 0, done.stderr
    with Image.open(io.BytesIO(done.stdout)) as image:
        assert (image.format, image.size) == ("PNG", (512, 384))
    assert b"1 of 1 pictures written" in done.stderr


@pytest.mark.slow
@pytest.mark.parametrize("stop", [signal.SIGTERM, signal.SIGINT])
def test_an_interrupted_run_leaves_no_half_written_file(weights, tmp_path, stop):
    noise = np.random.default_rng(0).integers(0, 256, (1500, 1500, 3), np.uint8)
    write_picture(tmp_path / "in" / "a.png", noise)
    out = tmp_path / "out"
    words = (str(tmp_path / "in"), "-o", str(out), "--weights", str(weights), "--scale", "16")
    running = subprocess.Popen([*COMMAND, *words], stderr=subprocess.DEVNULL)
    while not (out.exists() and list(out.iterdir())) and running.poll() is None:
        time.sleep(0.02)
    os.kill(running.pid, stop)
    assert running.wait(timeout=60) != 0
    assert not list(Path(out).iterdir())
