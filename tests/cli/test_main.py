"""The command `srmodels`, as people type it."""

import logging
import os
import subprocess
import sys

import numpy as np
import pytest
import torch

import srmodels
from srmodels import models, snapshot
from srmodels.cli import main
from srmodels.images.readers.decode import decode, read
from srmodels.images.writers.write import write_picture
from srmodels.resize.images import downscale
from srmodels.resize.tensors import enlarge_image
from tests.inference.small import small, small_settings


@pytest.fixture
def weights(tmp_path):
    path = tmp_path / "weights.safetensors"
    snapshot.save(path, small("srcnn"), name="srcnn", settings=small_settings("srcnn"))
    return path


@pytest.fixture
def pictures(tmp_path, photo):
    folder = tmp_path / "pictures"
    write_picture(folder / "a.png", photo)
    write_picture(folder / "b.png", photo[::-1, :100])
    return folder


@pytest.fixture
def typed(monkeypatch, capsys):
    """Runs the command with some words; returns exit code, stdout, stderr."""

    def run(*words):
        monkeypatch.setattr(sys, "argv", ["srmodels", *map(str, words)])
        with pytest.raises(SystemExit) as left:
            main.main()
        out, err = capsys.readouterr()
        code = left.value.code
        if isinstance(code, str):  # sys.exit prints it once the interpreter ends
            return 1, out, f"{err}{code}\n"
        return code or 0, out, err

    root = logging.getLogger()
    before = root.level, list(root.handlers)
    yield run
    root.setLevel(before[0])
    root.handlers[:] = before[1]


def test_pictures_are_enlarged_into_a_folder(typed, weights, pictures, tmp_path):
    inputs = sorted(pictures.iterdir())
    code, out, err = typed("upscale", *inputs, "-o", tmp_path / "out", "--weights", weights)
    assert code == 0, err
    assert f"2 of 2 pictures written to {tmp_path / 'out'}" in out
    assert decode(tmp_path / "out" / "b.png").shape == (384, 400, 3)


def test_a_picture_is_enlarged_into_a_file_of_its_kind(typed, weights, pictures, tmp_path):
    target = tmp_path / "large.jpg"
    code, _, err = typed("upscale", pictures / "a.png", "-o", target, "--weights", weights)
    assert code == 0, err
    assert read(target).kind == "JPEG"


def test_one_failure_is_named_and_counted_and_the_exit_code_is_1(
    typed, weights, pictures, tmp_path
):
    (pictures / "broken.png").write_text("no picture")
    inputs = sorted(pictures.iterdir())
    code, out, err = typed("upscale", *inputs, "-o", tmp_path / "out", "--weights", weights)
    assert code == 1
    assert "2 of 3 pictures written" in out
    assert "skipped broken.png: is a text file" in err


def test_a_missing_file_and_a_pattern_without_match_are_named(typed, weights, pictures, tmp_path):
    none = tmp_path / "none.png"
    inputs = (pictures, none, tmp_path / "*.CR2")
    code, out, err = typed("upscale", *inputs, "-o", tmp_path / "out", "--weights", weights)
    assert code == 1
    assert "2 of 3 pictures written" in out
    assert f"skipped {none}: no such file. Check the path." in err
    assert f"{tmp_path / '*.CR2'}: no picture found" in err


def test_missing_weights_are_one_line(typed, pictures, tmp_path):
    missing = tmp_path / "none.safetensors"
    code, _, err = typed("upscale", pictures / "a.png", "-o", tmp_path, "--weights", missing)
    assert code == 1
    assert err.splitlines()[-1].startswith(f"error: {missing}: no such file")
    assert "Traceback" not in err


def test_an_output_that_cannot_be_written_is_one_line(typed, weights, pictures, tmp_path):
    (tmp_path / "file").write_text("in the way")
    words = ("upscale", pictures / "a.png", "-o", tmp_path / "file" / "out", "--weights", weights)
    code, _, err = typed(*words)
    assert code == 1
    assert err.splitlines()[-1].startswith("error: ")
    assert str(tmp_path / "file") in err.splitlines()[-1]


def test_help_and_scores_import_nothing_heavy():
    text = (
        "import sys; from srmodels.cli import main; "
        "from srmodels.evaluation import table; "
        "heavy = {'torch', 'pandas', 'skimage', 'mlflow', 'dvc'} & sys.modules.keys(); "
        "sys.exit(str(heavy) if heavy else 0)"
    )
    done = subprocess.run([sys.executable, "-c", text], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr


def test_what_is_written_is_what_the_network_makes(typed, pictures, tmp_path, photo):
    path = tmp_path / "bicubic.safetensors"
    changes = {"residual": "bicubic", "upsampler": "direct"}
    network = small("srresnet", **changes)
    for parameter in network.tail.parameters():
        parameter.data.zero_()
    settings = small_settings("srresnet", **changes)
    snapshot.save(path, network, name="srresnet", settings=settings)
    lr = downscale(photo, 4)
    write_picture(pictures / "lr.png", lr)
    code, _, err = typed("upscale", pictures / "lr.png", "-o", tmp_path, "--weights", path)
    assert code == 0, err
    np.testing.assert_array_equal(decode(tmp_path / "lr.png"), enlarge_image(lr, 4))


SMALL_INSTALL = """
import sys
from importlib.abc import MetaPathFinder

class Missing(MetaPathFinder):
    def find_spec(self, name, path=None, target=None):
        if name.partition(".")[0] in {"dvc", "grimp", "jinja2", "lightning_fabric", "markupsafe",
            "matplotlib", "mlflow", "numba", "pandas", "requests", "skimage", "sklearn",
            "psutil", "torchvision", "urllib3", "gradio", "spandrel", "onnxruntime"}:
            raise ModuleNotFoundError(f"No module named {name!r}", name=name)
        return None

sys.meta_path.insert(0, Missing())
from srmodels.cli import main
main.main()
"""


@pytest.mark.slow
def test_a_small_install_enlarges_and_exports(weights, pictures, tmp_path):
    def run(*words):
        command = [sys.executable, "-c", SMALL_INSTALL, *map(str, words)]
        return subprocess.run(command, capture_output=True, text=True, check=False)

    out = tmp_path / "out"
    words = ("--weights", weights, "--consistent", "--scale", 2, "--format", "jpeg")
    done = run("upscale", pictures, "-o", out, *words)
    assert done.returncode == 0, done.stderr
    assert len(list(out.iterdir())) == 2
    for words in (("weights",), ("export", weights, "-o", tmp_path / "a.safetensors")):
        done = run(*words)
        assert done.returncode == 0, done.stderr
    done = run("scores", tmp_path / "none.json")
    assert "Traceback" not in done.stderr
    done = run("report")
    assert done.returncode == 1
    assert done.stderr.splitlines()[-1].endswith("Run: pip install 'srmodels[train]'")
    assert "Traceback" not in done.stderr


def test_the_version_is_the_packages(typed):
    code, out, _ = typed("--version")
    assert (code, out) == (0, f"srmodels {srmodels.__version__}\n")


def test_the_machine_is_described(typed):
    code, out, _ = typed("machine")
    assert code == 0
    assert f"cores: {len(os.sched_getaffinity(0))}, threads: {torch.get_num_threads()}" in out
    assert f"PyTorch {torch.__version__}; bfloat16 is " in out


def test_weights_are_listed_with_licence_and_purpose(typed, monkeypatch, tmp_path):
    monkeypatch.setattr("srmodels.cli.weights.repository", lambda: tmp_path)
    (tmp_path / "weights").mkdir()
    path = tmp_path / "weights" / "mine.safetensors"
    snapshot.save(path, small("srcnn"), name="srcnn", settings=small_settings("srcnn"))
    (tmp_path / "weights" / "other.safetensors").write_bytes(b"none")
    settings = models.settings_class("patch_discriminator")(channels=4, num_stages=1)
    discriminator = models.build("patch_discriminator", settings)
    path = tmp_path / "weights" / "discriminator.safetensors"  # as a training leaves it
    snapshot.save(path, discriminator, name="patch_discriminator", settings=settings)
    code, out, err = typed("weights")
    assert code == 0, err
    assert "rrdbnet x4, 16,697,987 parameters, BSD-3-Clause" in out
    assert "for photographs, also blurred, noisy and compressed ones" in out
    assert f"\n{tmp_path / 'weights/mine.safetensors'}\n  srcnn x4, " in out
    assert "weights/other.safetensors\n  cannot be used: " in out
    assert "discriminator" not in out
