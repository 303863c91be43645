import logging

import mlflow
import numpy as np
import pytest

from srmodels.engine.tracking.curves import Curve
from srmodels.engine.tracking.mlflow_tracker import Tracker, run_key

# opening a fresh SQLite store migrates its schema, which takes seconds
pytestmark = [
    pytest.mark.slow,
    pytest.mark.filterwarnings("ignore::DeprecationWarning"),  # alembic's and mlflow's own
    pytest.mark.filterwarnings("ignore::ResourceWarning"),  # mlflow leaves its engine to the gc
    pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning"),
]


@pytest.fixture(autouse=True)
def _no_experiment(monkeypatch) -> None:
    for name in ("DVC_EXP_NAME", "DVC_EXP_BASELINE_REV", "MLFLOW_TRACKING_URI"):
        monkeypatch.delenv(name, raising=False)


def tracker(root, stage="pretrain", values=None):
    return Tracker(
        stage,
        root=root,
        values=values or {"model": "srgan"},
        baseline="a" * 40,
        tags={"model": "x"},
    )


def only_run(root):
    client = mlflow.MlflowClient(tracking_uri=f"sqlite:///{root}/mlflow.db")
    (experiment,) = client.search_experiments(filter_string="name = 'srmodels'")
    (run,) = client.search_runs([experiment.experiment_id])
    return client, run


def test_stages_of_one_configuration_share_a_run_whose_steps_never_repeat(tmp_path) -> None:
    with tracker(tmp_path) as first:
        for step in (1, 2, 3):
            first.log(step, {"pixel": 1 / step})
    with tracker(tmp_path) as resumed:  # a resume comes again by steps 2 and 3
        for step in (2, 3, 4):
            resumed.log(step, {"pixel": 1 / step})
    with tracker(tmp_path, "gan") as second:
        second.log(1, {"generator/pixel": 0.5})
        second.picture("validation/cat", np.zeros((8, 8, 3), np.uint8), 1)
        second.finish()
    client, run = only_run(tmp_path)
    history = client.get_metric_history(run.info.run_id, "pretrain/pixel")
    assert [point.step for point in history] == [1, 2, 3, 4]
    assert run.data.metrics["gan/generator/pixel"] == 0.5
    assert run.data.params == {"model": "srgan"}
    assert run.info.status == "FINISHED"
    assert client.list_artifacts(run.info.run_id, "images")


def test_a_curve_from_the_cache_is_replayed_once(tmp_path) -> None:
    curve = Curve(tmp_path / "pretrain.csv")
    for step in (10, 20):
        curve.add(step, {"pixel": 1 / step, "learning_rate": 1e-3})
    for _ in range(2):
        with tracker(tmp_path, "evaluate") as watcher:
            watcher.replay(curve.path, "pretrain")
    client, run = only_run(tmp_path)
    history = client.get_metric_history(run.info.run_id, "pretrain/learning_rate")
    assert [point.step for point in history] == [10, 20]


def test_a_server_that_is_down_warns_once_and_stops_nothing(tmp_path, monkeypatch, caplog) -> None:
    monkeypatch.setenv("MLFLOW_TRACKING_URI", "http://127.0.0.1:9")
    with caplog.at_level(logging.WARNING), tracker(tmp_path) as watcher:
        watcher.log(1, {"pixel": 1.0})
        watcher._send()
        watcher._send()
    texts = [record.getMessage() for record in caplog.records if "MLflow" in record.getMessage()]
    assert sum("points are kept" in text for text in texts) == 1
    assert sum("did not reach" in text for text in texts) == 1


def test_the_key_tells_experiments_baselines_and_parameters_apart(monkeypatch) -> None:
    keys = {run_key({"seed": 0}, "a" * 40), run_key({"seed": 1}, "a" * 40)}
    keys.add(run_key({"seed": 0}, "b" * 40))
    monkeypatch.setenv("DVC_EXP_NAME", "hazy-fox")
    keys.add(run_key({"seed": 0}, "a" * 40))
    assert len(keys) == 4
    assert run_key({"a": 1, "b": 2}, "c") == run_key({"b": 2, "a": 1}, "c")
