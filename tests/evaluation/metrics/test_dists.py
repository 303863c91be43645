"""DISTS against its definition in the plainest code, and against a number of the authors' code."""

import pytest
import torch
import torch.nn.functional as F

from srmodels.evaluation.metrics import vgg16
from srmodels.evaluation.metrics.dists import Dists
from srmodels.pretrained.feature_network import IMAGENET_MEAN, IMAGENET_STD
from srmodels.resize.tensors import to_tensor
from tests.evaluation.metrics.conftest import bicubic

STAGES = ((0, 2), (5, 7), (10, 12, 14), (17, 19, 21), (24, 26, 28))


@pytest.fixture
def dists(pretrained, device):
    for name in ("dists", "vgg16"):
        pretrained(name)
    metric = Dists(device=device)
    return lambda images: metric(images.to(device))


def plain(pair, vgg, weights):
    """Ding et al. 2022, eqs. 2 and 4 to 6, level by level on the whole pictures."""
    mean, std = (torch.tensor(v).view(1, 3, 1, 1) for v in (IMAGENET_MEAN, IMAGENET_STD))
    features, levels = (pair - mean) / std, [pair]
    window = torch.hann_window(5, periodic=False)[1:-1]
    window = window[:, None] * window
    for stage in STAGES:
        if stage != STAGES[0]:
            kernel = (window / window.sum()).repeat(features.shape[1], 1, 1, 1)
            squares = F.conv2d(features**2, kernel, None, 2, 1, groups=features.shape[1])
            features = (squares + 1e-12).sqrt()
        for index in stage:
            weight, bias = (vgg[f"features.{index}.{kind}"] for kind in ("weight", "bias"))
            features = F.conv2d(features, weight, bias, padding=1).relu()
        levels.append(features)
    texture, structure = [], []
    for hr, sr in (level.double() for level in levels):
        x, y = hr.mean((1, 2)), sr.mean((1, 2))
        covariance = ((hr - x[:, None, None]) * (sr - y[:, None, None])).mean((1, 2))
        texture.append((2 * x * y + 1e-6) / (x**2 + y**2 + 1e-6))
        variances = hr.var((1, 2), correction=0) + sr.var((1, 2), correction=0)
        structure.append((2 * covariance + 1e-6) / (variances + 1e-6))
    alpha, beta = weights["alpha"].double(), weights["beta"].double()
    total = alpha @ torch.cat(texture) + beta @ torch.cat(structure)
    return 1 - (total / (alpha.sum() + beta.sum())).item()


def test_it_equals_the_definition(dists, pretrained, pair):
    expected = plain(pair, pretrained("vgg16"), pretrained("dists"))
    assert dists(pair) == pytest.approx([expected], abs=1e-5)


def test_equal_pictures_have_no_distance(dists, pair):
    assert dists(torch.cat([pair, pair[:1]]))[1] == 0


def test_strips_give_what_the_whole_picture_gives(dists, pair, monkeypatch):
    whole = dists(pair)
    monkeypatch.setattr(vgg16, "_PIXELS", 2000)
    assert dists(pair) == pytest.approx(whole, abs=1e-6)


def test_the_authors_code_gives_the_same_number(dists, chelsea):
    """DISTS_pytorch 0.1 on this photograph's bicubic enlargement."""
    images = torch.cat([to_tensor(picture) for picture in bicubic(chelsea)])
    assert dists(images) == pytest.approx([0.207854], abs=1e-5)
