"""`srmodels.load`: any usual kind of picture in, the same kind out, and no training code."""

import subprocess
import sys
from importlib.resources import files

import numpy as np
import pytest
import torch
from PIL import Image

import srmodels
from srmodels import snapshot
from srmodels.errors import PhotoError
from tests.inference.small import small, small_settings

TRAINING = ("mlflow", "dvc", "lightning_fabric", "pandas", "matplotlib", "gradio", "spandrel")
PACKAGES = ("engine", "objectives", "losses", "params", "recipe", "data", "runs")
CHILD = f"""
import sys
import srmodels
assert not any(name.startswith("srmodels.") or name == "torch" for name in sys.modules)
up = srmodels.load(sys.argv[1])
up(__import__("numpy").zeros((4, 4, 3), "uint8"))
names = {{*{TRAINING}, *(f"srmodels.{{package}}" for package in {PACKAGES})}}
sys.exit(str(names & set(sys.modules)) if names & set(sys.modules) else 0)
"""


@pytest.fixture
def path(tmp_path):
    path = tmp_path / "generator.safetensors"
    settings = small_settings("srresnet", scale=2, residual="bicubic")
    network = small("srresnet", scale=2, residual="bicubic")
    snapshot.save(path, network, name="srresnet", settings=settings)
    return path


@pytest.fixture
def up(path, device):
    return srmodels.load(path, device=device.type)


@pytest.mark.slow
def test_neither_the_import_nor_an_enlargement_loads_training_code(path):
    ran = subprocess.run(
        [sys.executable, "-c", CHILD, str(path)], capture_output=True, text=True, check=False
    )
    assert ran.returncode == 0, ran.stderr


def test_the_package_says_that_it_is_typed():
    assert (files("srmodels") / "py.typed").is_file()


def test_what_the_package_does_not_have_is_an_attribute_error():
    with pytest.raises(AttributeError, match="'srmodels' has no attribute 'upscale'"):
        srmodels.upscale  # noqa: B018


def test_numpy_dtypes_agree_with_each_other(up, photo):
    sr = up(photo)
    assert (sr.dtype, sr.shape) == (np.uint8, (192, 256, 3))
    deep = up(photo.astype(np.uint16) * 257)
    assert deep.dtype == np.uint16
    assert np.abs(deep / 257 - sr).max() <= 0.51
    real = up((photo / 255).astype(np.float32))
    assert real.dtype == np.float32
    assert np.abs(real * 255 - sr).max() <= 0.51


def test_floats_stay_in_their_range(up):
    checks = (np.indices((32, 32)).sum(0) // 4 % 2).astype(np.float32)
    sr = up(np.stack([checks] * 3, axis=2))
    assert (sr.min(), sr.max()) == (0, 1)


def test_a_pillow_image_gives_one(up, photo):
    sr = up(Image.fromarray(photo))
    assert isinstance(sr, Image.Image)
    np.testing.assert_array_equal(np.asarray(sr), up(photo))


@pytest.mark.parametrize("dtype", [np.uint8, np.uint16])
def test_grey_stays_grey(up, photo, dtype):
    grey = photo[..., 0].astype(dtype)
    sr = up(grey)
    assert (sr.dtype, sr.shape) == (dtype, (192, 256))
    assert np.abs(sr - up(np.stack([grey] * 3, axis=2)).mean(axis=2)).max() <= 0.5


def test_a_pillow_image_in_grey_stays_grey(up, photo):
    assert up(Image.fromarray(photo[..., 0])).mode == "L"


def test_a_tensor_gives_one_and_so_does_a_batch(up, photo):
    lr = torch.from_numpy(photo / 255).float().permute(2, 0, 1)
    one, two = up(lr), up(torch.stack([lr, lr.flip(2)]))
    assert (one.shape, two.shape) == ((3, 192, 256), (2, 3, 192, 256))
    assert torch.equal(two[0], one)
    np.testing.assert_array_equal(one.permute(1, 2, 0), up((photo / 255).astype(np.float32)))


@pytest.mark.parametrize(
    ("image", "reason"),
    [
        (np.zeros((4, 4, 3)), "got float64"),
        (np.zeros((4, 4, 4), np.uint8), r"got \(4, 4, 4\)"),
        (np.zeros((1, 4, 4, 3), np.uint8), r"got \(1, 4, 4, 3\)"),
        (np.zeros((0, 4, 3), np.uint8), r"got \(0, 4, 3\)"),
        (np.full((4, 4, 3), 255, np.float32), "got 255 to 255"),
        (np.full((4, 4, 3), np.nan, np.float32), "got nan to nan"),
        (Image.new("RGBA", (4, 4)), "got 'RGBA'"),
        (torch.zeros(4, 4, 3), r"got torch.float32, \(4, 4, 3\)"),
        (torch.zeros(3, 4, 4, dtype=torch.uint8), "got torch.uint8"),
        ("photo.png", "got str"),
    ],
)
def test_other_types_modes_and_shapes_are_refused(up, image, reason):
    with pytest.raises(PhotoError, match=reason):
        up(image)
