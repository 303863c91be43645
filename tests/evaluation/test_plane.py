import numpy as np
import pytest
from PIL import Image

from srmodels.evaluation.plane import PUBLISHED, draw_plane

ROWS = {
    "bicubic": {"psnr_y": 28.4, "lpips": 0.34},
    "pretrained": {"psnr_y": 31.0, "lpips": 0.18},
    "strength_0.5": {"psnr_y": 30.6, "lpips": 0.13},
    "generator": {"psnr_y": 30.0, "lpips": 0.1},
}


def drawn(path, metrics):
    draw_plane({"protocol": {"scale": ["4"]}, **metrics}, path)
    return np.asarray(Image.open(path).convert("RGB"))


def test_every_set_has_its_plane_and_the_bytes_are_the_same(tmp_path):
    one = drawn(tmp_path / "1.png", {"test": ROWS})
    two = drawn(tmp_path / "2.png", {"test": ROWS, "Set5": ROWS})
    assert two.shape[1] == 2 * one.shape[1]
    drawn(tmp_path / "3.png", {"test": ROWS})
    assert (tmp_path / "1.png").read_bytes() == (tmp_path / "3.png").read_bytes()


@pytest.mark.parametrize("name", [*PUBLISHED, "other"])
def test_the_published_generators_are_drawn_at_their_scale_and_sets_only(tmp_path, name):
    at_4 = drawn(tmp_path / "4.png", {name: ROWS})
    at_2 = drawn(tmp_path / "2.png", {name: ROWS, "protocol": {"scale": ["2"]}})
    assert (at_4 != at_2).any() == (name in PUBLISHED)


def test_without_lpips_there_is_no_plane(tmp_path):
    rows = {"bicubic": {"psnr_y": 28.4}}
    draw_plane({"protocol": {"scale": ["4"]}, "test": rows}, tmp_path / "none.png")
    assert not (tmp_path / "none.png").exists()
