"""The generator as an MLflow model: any size, no code of ours, once a run."""

import logging
import os
import subprocess
import sys
import zipfile
from pathlib import Path

import mlflow
import numpy as np
import pytest
import torch

import srmodels
from srmodels import models, snapshot
from srmodels.engine.tracking.mlflow_model import log_generator, save_model
from srmodels.engine.tracking.mlflow_run import RunFacts
from srmodels.engine.tracking.mlflow_tracker import Tracker
from srmodels.models import srresnet

# saving exports a graph and a fresh SQLite store migrates its schema: seconds each
pytestmark = [
    pytest.mark.slow,
    pytest.mark.filterwarnings("ignore::DeprecationWarning"),  # alembic's, mlflow's and torch's own
    pytest.mark.filterwarnings("ignore::ResourceWarning"),  # mlflow leaves its engine to the gc
    pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning"),
]

SMALL = {
    "swinir": {"depths": [1], "num_heads": [2], "channels": 8},
    "cvae": {},
}
ELSEWHERE = """
import sys, mlflow, numpy as np
lr = np.load(sys.argv[2])
np.save(sys.argv[3], mlflow.pyfunc.load_model(sys.argv[1]).predict(lr))
assert not [name for name in sys.modules if name.startswith("srmodels")]
"""


@pytest.fixture
def saved(tmp_path):
    settings = srresnet.Settings(num_blocks=1, channels=8)
    network = models.build("srresnet", settings).eval()
    weights = tmp_path / "generator.safetensors"
    snapshot.save(weights, network, name="srresnet", settings=settings)
    return network, weights


def watcher(root):
    facts = RunFacts(baseline="a" * 40, inputs={"model": "srgan"}, tags={"model": "x"})
    tracker = Tracker("test", root=root, facts=facts)
    tracker.begin(0, [])
    return tracker


@pytest.mark.parametrize("name", SMALL)
def test_the_saved_graph_is_the_network_at_any_size(name, saved, tmp_path) -> None:
    network = models.build(name, models.settings_class(name)(**SMALL[name])).eval()
    save_model(network, saved[1], tmp_path / "model")
    again = mlflow.pytorch.load_model(str(tmp_path / "model"))
    for height, width in ((64, 64), (33, 57), (96, 40)):
        lr = torch.rand(1, 3, height, width)
        with torch.inference_mode():
            torch.testing.assert_close(again(lr), network(lr), atol=1e-5, rtol=0)


def test_no_folder_of_this_machine_is_in_it(saved, tmp_path) -> None:
    network, weights = saved
    save_model(network, weights, tmp_path / "model")
    parts = []
    for path in (tmp_path / "model").rglob("*"):
        if path.suffix == ".pt2":
            with zipfile.ZipFile(path) as file:
                parts += [file.read(name) for name in file.namelist()]
        elif path.is_file():
            parts.append(path.read_bytes())
    for folder in (Path(srmodels.__file__).parents[1], Path(torch.__file__).parents[1], tmp_path):
        assert not any(os.fsencode(folder) in part for part in parts)


def test_it_runs_where_our_code_is_not(saved, tmp_path) -> None:
    network, weights = saved
    save_model(network, weights, tmp_path / "model")
    lr, sr = tmp_path / "lr.npy", tmp_path / "sr.npy"
    np.save(lr, np.random.default_rng(0).random((1, 3, 20, 30), np.float32))
    words = [sys.executable, "-c", ELSEWHERE, str(tmp_path / "model"), str(lr), str(sr)]
    subprocess.run(words, cwd=tmp_path, check=True, capture_output=True)
    with torch.inference_mode():
        wanted = network(torch.from_numpy(np.load(lr))).numpy()
    np.testing.assert_allclose(np.load(sr), wanted, atol=1e-5)


def test_a_run_holds_the_generator_once(saved, tmp_path, monkeypatch) -> None:
    for name in ("DVC_EXP_NAME", "DVC_EXP_BASELINE_REV", "MLFLOW_TRACKING_URI"):
        monkeypatch.delenv(name, raising=False)
    with watcher(tmp_path) as one:
        one.log(0, {"psnr_y": 30.0})
    for _ in range(2):
        log_generator(one, *saved)
    (model,) = one.client.search_logged_models([one.client.get_run(one.run_id).info.experiment_id])
    assert model.source_run_id == one.run_id
    assert model.status == "READY"
    (output,) = one.client.get_run(one.run_id).outputs.model_outputs
    assert output.model_id == model.model_id


def test_a_server_that_is_down_costs_the_model_and_no_more(saved, tmp_path, monkeypatch, caplog):
    monkeypatch.setenv("MLFLOW_TRACKING_URI", "http://127.0.0.1:9")
    with caplog.at_level(logging.WARNING), watcher(tmp_path) as one:
        one.log(0, {"psnr_y": 30.0})
    log_generator(one, *saved)
    assert "the generator is not logged" in caplog.text
