"""LPIPS and DISTS of several SR at once."""

import numpy as np
import pytest
import torch

from srmodels.errors import WeightsError
from srmodels.evaluation import perceptual
from srmodels.evaluation.metrics.dists import Dists
from srmodels.evaluation.metrics.lpips import Lpips
from srmodels.evaluation.metrics.niqe import Niqe
from srmodels.evaluation.perceptual import PERCEPTUAL, open_lpips, open_perceptual
from srmodels.pretrained import weights
from srmodels.resize.tensors import to_tensor
from tests.evaluation.metrics.conftest import bicubic


@pytest.fixture
def score(pretrained):
    for name in ("alexnet", "vgg16", "dists"):
        pretrained(name)
    return open_perceptual()


def test_each_sr_gets_the_single_metrics_numbers(score, photo):
    hr, sr = bicubic(photo)
    first, second = score([sr, np.zeros_like(hr)], hr)
    assert first.keys() == set(PERCEPTUAL)
    images = torch.cat([to_tensor(hr), to_tensor(sr)])
    singles = [Lpips("alexnet"), Lpips("vgg16"), Dists()]
    expected = [metric(images)[0] for metric in singles]
    assert list(first.values()) == pytest.approx(expected, abs=1e-6)
    assert all(second[name] > first[name] for name in PERCEPTUAL)


def test_lpips_alone_is_for_validations(pretrained, photo):
    pretrained("alexnet")
    hr, sr = bicubic(photo)
    expected = Lpips("alexnet")(torch.cat([to_tensor(hr), to_tensor(sr)]))
    assert [open_lpips()(sr, hr)] == expected


def test_many_pictures_are_compared_in_parts(score, photo, monkeypatch):
    hr, sr = bicubic(photo)
    pictures = [sr, hr, sr, np.ascontiguousarray(sr[:, ::-1])]
    at_once = score(pictures, hr)
    monkeypatch.setattr(perceptual, "_PIXELS", 3 * hr.shape[0] * hr.shape[1])
    for one, other in zip(at_once, score(pictures, hr), strict=True):
        assert one == pytest.approx(other, abs=1e-6)


def test_missing_weights_are_one_line_with_the_command_and_the_switch(monkeypatch, tmp_path):
    monkeypatch.setenv("SRMODELS_DATA", str(tmp_path))
    monkeypatch.setattr(weights, "installed", lambda _: None)
    with pytest.raises(
        WeightsError, match=r"^alexnet: .*Run: srmodels download perceptual .*perceptual: false"
    ) as error:
        open_perceptual()
    assert "\n" not in str(error.value)


def test_niqe_is_a_further_column_of_each_sr(pretrained, score):
    pretrained("niqe")
    noise = np.random.default_rng(0).integers(0, 256, (200, 200, 3), np.uint8)
    faint = 100 + noise // 8
    rows = open_perceptual(niqe=True)([faint, noise], noise)
    assert [list(row) for row in rows] == [[*PERCEPTUAL, "niqe"]] * 2
    assert [row["niqe"] for row in rows] == [Niqe()(faint), Niqe()(noise)]


def test_lpips_of_alexnet_alone_opens_nothing_else(pretrained, photo, monkeypatch):
    pretrained("alexnet")
    hr, sr = bicubic(photo)
    monkeypatch.setattr(perceptual, "Dists", None)
    (row,) = open_perceptual(only_lpips=True)([sr], hr)
    assert row == {"lpips": open_lpips()(sr, hr)}


def test_missing_parameters_of_niqe_name_its_own_switch(monkeypatch, tmp_path):
    monkeypatch.setenv("SRMODELS_DATA", str(tmp_path))
    monkeypatch.setattr(weights, "installed", lambda _: None)
    monkeypatch.setattr(perceptual, "Lpips", lambda *_, **__: None)
    with pytest.raises(WeightsError, match=r"^niqe: .*evaluate\.niqe: false.*without --niqe") as e:
        open_perceptual(only_lpips=True, niqe=True)
    assert "--no-perceptual" not in str(e.value)
