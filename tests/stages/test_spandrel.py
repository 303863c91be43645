"""A network in spandrel's code through all stages, by real DVC."""

import json

import pytest

from srmodels import snapshot
from tests.stages.repository import clone, edit, run
from tests.stages.test_recipes import choose

pytest.importorskip("spandrel")
pytestmark = pytest.mark.slow


def test_a_network_of_spandrels_is_trained_and_scored(tmp_path):
    folder = clone(tmp_path / "repo")
    choose(folder, "srcnn")
    edit(folder, "generator: {network: srcnn}", "generator: {network: 'spandrel:SAFMN', dim: 12.5}")
    text = run(folder, "dvc", "repro", ok=False)
    assert "error: network: the hyper-parameters of spandrel:SAFMN do not fit" in text

    edit(folder, "dim: 12.5", "dim: 12, n_blocks: 1")
    run(folder, "dvc", "repro")
    assert snapshot.load(folder / "weights/generator.safetensors").name == "spandrel:SAFMN"
    scores = json.loads((folder / "metrics/evaluate.json").read_text())
    assert scores["test"]["generator"]["psnr_y"] > 10
    code = json.loads((folder / "data/code/pretrain.json").read_text())
    assert "srmodels.models._spandrel" in code
