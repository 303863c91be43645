"""The tracking server goes away in mid-run and comes back: training goes on, no point is lost."""

import logging

import mlflow
import pytest
from lightning_fabric import Fabric

from srmodels.engine.checkpoint.checkpoint import Checkpoints
from srmodels.engine.tracking.curves import read_points
from srmodels.engine.tracking.mlflow_run import RunFacts
from srmodels.engine.tracking.mlflow_tracker import Tracker
from tests.engine.toys import ToySource, trainer
from tests.mlflow_server import Server

pytestmark = [
    pytest.mark.slow,
    pytest.mark.filterwarnings("ignore::DeprecationWarning"),  # mlflow's own
    pytest.mark.filterwarnings("ignore::ResourceWarning"),
    pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning"),
]


@pytest.fixture
def server(tmp_path):
    made = Server(tmp_path)
    yield made
    made.stop()


class Outage:
    """The toys' batches; the server is away from step 5 to step 8."""

    def __init__(self, server: Server, tracker: Tracker) -> None:
        self.server, self.tracker = server, tracker
        self.left: list[int] = []

    def batch(self, step):
        if step in (5, 8, 9):
            if step == 9:
                self.tracker._retry_at = 0.0
                self.server.start()
            self.tracker._send()
            self.left.append(len(self.tracker._points))
        if step == 5:
            self.server.stop()
        return ToySource().batch(step)


def test_training_goes_on_without_the_server_and_every_point_reaches_it(
    server, tmp_path, monkeypatch, caplog
) -> None:
    monkeypatch.setenv("MLFLOW_TRACKING_URI", server.uri)
    server.start()
    checkpoints = Checkpoints(tmp_path / "run")
    checkpoints.folder.mkdir()
    fabric = Fabric(accelerator="cpu", devices=1, precision="32-true")
    facts = RunFacts(baseline="a" * 40, inputs={"model": "toy"})
    with (
        caplog.at_level(logging.WARNING),
        Tracker("pretrain", root=tmp_path, facts=facts) as tracker,
    ):
        source = Outage(server, tracker)
        trainer(fabric, checkpoints, logger=tracker).run(source, title="outage")
    assert source.left[0] == source.left[2] == 0
    assert source.left[1] > 0
    assert sum("Points are kept" in text for text in caplog.messages) == 1
    client = mlflow.MlflowClient(tracking_uri=server.uri)
    (run,) = client.search_runs([client.get_experiment_by_name("srmodels").experiment_id])
    for curve in ("losses.csv", "validation.csv"):
        points = read_points(checkpoints.folder / curve)
        for name in {name for _, name, _ in points}:
            history = client.get_metric_history(run.info.run_id, f"pretrain/{name}")
            assert [each.step for each in history] == [step for step, n, _ in points if n == name]
