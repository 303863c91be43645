"""Pairs of one's own through all stages, by real DVC."""

import json

import numpy as np
import pytest
from PIL import Image

from srmodels.resize.images import downscale
from tests.data.scenes import scene
from tests.stages.repository import clone, edit, run
from tests.stages.test_recipes import choose

pytestmark = pytest.mark.slow


def write_pair(place, number, light):
    hr = np.array(scene(number, 256, 320))
    for folder, picture in (("hr", hr), ("lr", (downscale(hr, 4) * light).astype(np.uint8))):
        (place / folder).mkdir(exist_ok=True)
        Image.fromarray(picture).save(place / folder / f"{number}.png")


def test_pairs_are_trained_on_scored_and_watched(tmp_path):
    for number in range(5):
        write_pair(tmp_path, number, 0.9)
    folder = clone(tmp_path / "repo")
    choose(folder, "srcnn")
    edit(folder, "photos: auto", f"photos: {tmp_path / 'hr'}")
    edit(folder, "lr: bicubic", f"lr: {tmp_path / 'none'}")
    text = run(folder, "dvc", "repro", ok=False)
    assert f"error: data.lr: no such folder (got '{tmp_path / 'none'}')" in text

    edit(folder, f"lr: {tmp_path / 'none'}", f"lr: {tmp_path / 'lr'}")
    edit(folder, "lr_share: 1.0", "lr_share: 0.5")
    run(folder, "dvc", "repro")
    metrics = json.loads((folder / "metrics/evaluate.json").read_text())
    assert metrics["protocol"]["lr"] == ["given with HR, paired by name"]
    assert metrics["test"]["bicubic"]["shift_l"] < -3  # of the darker LR

    status = run(folder, "dvc", "status")
    assert "up to date" in status
    write_pair(tmp_path, 2, 0.8)
    assert str(tmp_path / "lr") in run(folder, "dvc", "status", "photos")
    edit(folder, "lr_share: 0.5", "lr_share: 1.0")
    assert "data.lr_share" in run(folder, "dvc", "status", "pretrain")
