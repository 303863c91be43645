"""A whole pipeline that is tracked by a server elsewhere, and a model that comes back from it."""

import mlflow
import pytest

from tests.mlflow_server import Server
from tests.stages.repository import copy_of, edit, run

pytestmark = [
    pytest.mark.slow,
    pytest.mark.filterwarnings("ignore::DeprecationWarning"),  # mlflow's own
]

SRMODELS = ("python", "-m", "srmodels.cli.main")


@pytest.fixture(scope="module")
def server(tmp_path_factory):
    made = Server(tmp_path_factory.mktemp("server"))
    made.start()
    yield made
    made.stop()


@pytest.fixture(scope="module")
def tracked(smoke, server, tmp_path_factory):
    """A repository whose pipeline has run once, and the variables it ran with."""
    folder = tmp_path_factory.mktemp("tracked") / "repo"
    edit(copy_of(smoke, folder), "model: srgan", "model: srcnn")
    variables = {
        "MLFLOW_TRACKING_URI": server.uri,
        "SRMODELS_DATA": str(folder.parent / "cache"),
    }
    assert "not logged" not in run(folder, "dvc", "repro", variables=variables)
    return folder, variables


def test_curves_pictures_and_the_model_land_there_and_nothing_here(server, tracked) -> None:
    folder, _ = tracked
    client = mlflow.MlflowClient(tracking_uri=server.uri)
    experiment = client.get_experiment_by_name("srmodels").experiment_id
    (only,) = client.search_runs([experiment])
    history = client.get_metric_history(only.info.run_id, "pretrain/pixel")
    assert [point.step for point in history] == [10, 20]
    assert [name for name in only.data.metrics if name.endswith("/generator/psnr_y")]
    assert client.list_artifacts(only.info.run_id, "images")
    (model,) = client.search_logged_models([experiment])
    assert (model.source_run_id, model.status) == (only.info.run_id, "READY")
    assert (server.folder / "files").is_dir()
    assert not (folder / "mlflow.db").exists()
    assert not (folder / "mlartifacts").exists()


def test_a_generator_registered_there_enlarges_here_by_its_alias(tracked, tmp_path) -> None:
    folder, variables = tracked
    words = ("register", "workspace", "small", "--alias", "champion")
    assert "models:/small@champion" in run(folder, *SRMODELS, *words, variables=variables)
    (photo, *_) = (folder / "data" / "patches" / "test").rglob("*.png")
    pair = [tmp_path / "by_name.png", tmp_path / "by_path.png"]
    weights = ("models:/small@champion", "weights/generator.safetensors")
    for output, each in zip(pair, weights, strict=True):
        words = ("upscale", str(photo), "-o", str(output), "--weights", each)
        name = each if each.startswith("models:/") else "generator"
        assert f"{name}: " in run(folder, *SRMODELS, *words, variables=variables)
    assert pair[0].read_bytes() == pair[1].read_bytes()
