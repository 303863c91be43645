"""Generators by name: what is registered comes back byte for byte, what is wrong is one line."""

import hashlib
import shutil
import sqlite3
from dataclasses import replace

import pytest

from srmodels import models, snapshot
from srmodels.engine.tracking.mlflow_model import log_generator
from srmodels.engine.tracking.mlflow_run import RunFacts
from srmodels.engine.tracking.mlflow_tracker import Tracker
from srmodels.errors import ConfigError, TrainingError, WeightsError
from srmodels.models import srresnet
from srmodels.runs.experiments import newest, run_of
from srmodels.runs.registry import fetch, register

# a fresh SQLite store migrates its schema, which takes seconds
pytestmark = [
    pytest.mark.slow,
    pytest.mark.filterwarnings("ignore::DeprecationWarning"),  # alembic's, mlflow's and torch's own
    pytest.mark.filterwarnings("ignore::ResourceWarning"),  # mlflow leaves its engine to the gc
    pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning"),
]


@pytest.fixture(scope="module")
def logged(tmp_path_factory):
    """A repository with one run that holds a generator, and the file of its weights."""
    root = tmp_path_factory.mktemp("repo")
    settings = srresnet.Settings(num_blocks=1, channels=8)
    network = models.build("srresnet", settings).eval()
    weights = root / "generator.safetensors"
    snapshot.save(weights, network, name="srresnet", settings=settings)
    with pytest.MonkeyPatch.context() as patch:
        patch.delenv("MLFLOW_TRACKING_URI", raising=False)
        patch.setenv("DVC_EXP_NAME", "red-fox")
        facts = RunFacts(baseline="a" * 40, inputs={}, tags={"model": "srgan"})
        with Tracker("test", root=root, facts=facts) as watcher:
            watcher.begin(0, [])
            watcher.log(0, {"psnr_y": 30.0})
        log_generator(watcher, network, weights)
    return root, weights


@pytest.fixture(autouse=True)
def _own_cache(tmp_path, monkeypatch) -> None:
    monkeypatch.delenv("MLFLOW_TRACKING_URI", raising=False)
    monkeypatch.setenv("SRMODELS_DATA", str(tmp_path / "cache"))


def test_what_is_registered_is_fetched_byte_for_byte_by_alias_and_by_version(logged) -> None:
    root, weights = logged
    run = run_of("red-fox", "", root=root)
    uris = [register(run, "srgan", alias=alias, root=root) for alias in ("champion", None)]
    assert uris == ["models:/srgan@champion", "models:/srgan/2"]
    for uri in (*uris, "models:/srgan/latest"):
        assert fetch(uri, root=root).read_bytes() == weights.read_bytes()


def test_a_model_that_is_not_there_is_told_with_those_that_are(logged) -> None:
    root, _ = logged
    register(run_of("red-fox", "", root=root), "edsr", alias="best", root=root)
    for uri in ("models:/edsr@worst", "models:/edsr/7", "models:/nobody/latest"):
        with pytest.raises(WeightsError, match=r"models:/edsr@best"):
            fetch(uri, root=root)
    with pytest.raises(WeightsError, match="names no registered model"):
        fetch("models:/edsr", root=root)


def test_weights_that_were_changed_in_the_store_are_refused(logged) -> None:
    root, _ = logged
    uri = register(run_of("red-fox", "", root=root), "changed", alias="x", root=root)
    (stored,) = (root / "mlartifacts").rglob("generator.safetensors")
    content = stored.read_bytes()
    stored.write_bytes(content[:-1] + b"x")
    with pytest.raises(WeightsError, match="not those that were logged"):
        fetch(uri, root=root)
    stored.write_bytes(content)


def test_a_model_of_others_holds_no_weights_of_ours(logged) -> None:
    from mlflow import MlflowClient

    root, _ = logged
    client = MlflowClient(f"sqlite:///{root}/mlflow.db")
    client.create_registered_model("foreign")
    client.create_model_version("foreign", (root / "elsewhere").as_uri())
    with pytest.raises(WeightsError, match="was not logged by this project"):
        fetch("models:/foreign/1", root=root)


def test_a_name_mlflow_refuses_and_a_run_without_a_generator_are_told(logged) -> None:
    root, _ = logged
    run = run_of("red-fox", "", root=root)
    with pytest.raises(ConfigError, match=r"NAME: .*got 'a/b'"):
        register(run, "a/b", alias=None, root=root)
    facts = RunFacts(baseline="b" * 40, inputs={})
    with Tracker("pretrain", root=root, facts=facts) as watcher:
        watcher.begin(0, [])
        watcher.log(1, {"pixel": 1.0})
    with pytest.raises(ConfigError, match="holds no generator"):
        register(replace(run, id=watcher.run_id), "srgan", alias=None, root=root)


def test_a_run_is_found_by_its_experiment_or_by_the_weights_in_dvc_lock(logged) -> None:
    root, weights = logged
    digest = hashlib.md5(weights.read_bytes()).hexdigest()
    out = f"{{path: weights/generator.safetensors, hash: md5, md5: {digest}}}"
    lock = f"schema: '2.0'\nstages:\n  gan:\n    cmd: x\n    outs: [{out}]\n"
    named = run_of("red-fox", "", root=root)
    assert run_of("from-the-cache", lock, root=root) == named
    assert named.id in [run.id for run in newest(9, root=root)]
    with pytest.raises(TrainingError, match="MLflow has no run of it"):
        run_of("from-the-cache", "", root=root)


def test_a_run_of_the_name_with_other_weights_is_never_taken(logged) -> None:
    # the experiment ran again under its name, and DVC took its weights from the cache
    root, _ = logged
    out = f"{{path: weights/generator.safetensors, hash: md5, md5: {'0a' * 16}}}"
    lock = f"schema: '2.0'\nstages:\n  gan:\n    cmd: x\n    outs: [{out}]\n"
    with pytest.raises(TrainingError, match="MLflow has no run of it"):
        run_of("red-fox", lock, root=root)


def test_a_version_says_which_experiment_trained_it(logged) -> None:
    from mlflow import MlflowClient

    root, weights = logged
    register(run_of("red-fox", "", root=root), "told", alias=None, root=root)
    version = MlflowClient(f"sqlite:///{root}/mlflow.db").get_model_version("told", "1")
    assert "red-fox" in version.description
    digest = hashlib.md5(weights.read_bytes()).hexdigest()
    assert version.tags == {
        "model": "srgan",
        "dvc.experiment": "red-fox",
        "dvc.generator_md5": digest,
    }


def test_a_repository_that_was_moved_or_copied_has_its_models_in_its_own_folder(
    logged, tmp_path
) -> None:
    root, weights = logged
    register(run_of("red-fox", "", root=root), "moved", alias="best", root=root)
    copy = tmp_path / "elsewhere"
    shutil.copytree(root, copy)
    (copy.parent / "cache").mkdir()
    shutil.move(root / "mlartifacts", root / "away")  # as if the first repository were gone
    try:
        assert fetch("models:/moved@best", root=copy).read_bytes() == weights.read_bytes()
        with Tracker("pretrain", root=copy, facts=RunFacts(baseline="c" * 40, inputs={})) as one:
            one.begin(0, [])
        address = one.client.get_run(one.run_id).info.artifact_uri
        assert address.startswith((copy / "mlartifacts").as_uri())
    finally:
        shutil.move(root / "away", root / "mlartifacts")


@pytest.mark.parametrize("content", [b"no database", None])
def test_a_damaged_or_foreign_database_is_one_line(content, tmp_path) -> None:
    if content is None:
        with sqlite3.connect(tmp_path / "mlflow.db") as foreign:
            foreign.execute("CREATE TABLE experiments (x)")
    else:
        (tmp_path / "mlflow.db").write_bytes(content)
    with pytest.raises(TrainingError) as caught:
        newest(1, root=tmp_path)
    assert "\n" not in str(caught.value)
    assert str(caught.value).startswith("MLflow at ")


@pytest.mark.parametrize("address", ["http://[::1", "sqlite:///nowhere/at/all.db", "gopher://x"])
def test_an_address_that_is_none_is_one_line(address, tmp_path, monkeypatch) -> None:
    monkeypatch.setenv("MLFLOW_TRACKING_URI", address)
    with pytest.raises(TrainingError) as caught:
        newest(1, root=tmp_path)
    assert "\n" not in str(caught.value)


def test_no_store_and_no_server_are_one_line_each(tmp_path, monkeypatch) -> None:
    with pytest.raises(TrainingError, match=r"mlflow\.db: no such file"):
        fetch("models:/srgan@champion", root=tmp_path)
    monkeypatch.setenv("MLFLOW_TRACKING_URI", "http://127.0.0.1:9")
    monkeypatch.setenv("MLFLOW_HTTP_REQUEST_MAX_RETRIES", "0")
    with pytest.raises(TrainingError, match=r"MLflow at http://127\.0\.0\.1:9"):
        fetch("models:/srgan@champion", root=tmp_path)


def test_a_database_without_its_driver_is_one_line(tmp_path, monkeypatch) -> None:
    monkeypatch.setenv("MLFLOW_TRACKING_URI", "mysql://u:p@127.0.0.1:1/x")
    with pytest.raises(TrainingError, match=r"^MLflow at .*needs a driver \(got no MySQLdb\)"):
        newest(9, root=tmp_path)
